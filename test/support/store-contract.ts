/** What every store must do, in memory or on a disk: its tests call this with a way to make one. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { asCallId, asLegId, asPbxName, asZammadName } from '../../src/call/vocabulary.js';
import { SESSIONS_OF_A_TOKEN, type Credential } from '../../src/store/credentials.js';
import type { Desk, Lead, Store } from '../../src/store/store.js';
import { describeAgentStates } from './agent-states-contract.js';
import { isLead, leadOf, OFFICE, openCall, overCall, somePost } from './store-rows.js';

export interface StoreUnderTest {
  readonly store: Store;
  /** Opens the same store again after `store.close()`, for stores that outlive the process. */
  readonly reopen?: () => Promise<Store>;
  /** Another look at the same store, for those that others can see. */
  readonly desk?: () => Promise<Desk>;
  /** Removes whatever it left behind. */
  readonly dispose: () => Promise<void>;
}

const turn = (...calls: string[]) => ({ calls: [], posts: calls.map((call) => somePost(call)) });

export function describeStore(name: string, make: () => Promise<StoreUnderTest>): void {
  describe(`store: ${name}`, () => {
    let made: StoreUnderTest;
    let store: Store;
    let lead: Lead;
    beforeEach(async () => {
      made = await make();
      store = made.store;
      lead = await leadOf(store);
    });
    afterEach(async () => {
      await store.close(1_000);
      await made.dispose();
    });

    describe('posts', () => {
      test('come back as they were committed, whole and in order, with rising numbers', async () => {
        const first = await lead.commit({
          calls: [],
          posts: [somePost('a'), somePost('b', 'hangup', { repeatable: true })],
        });
        const second = await lead.commit(turn('a'));
        const all = [...first, ...second];
        expect(all.map(({ callId }) => callId)).toEqual(['a', 'b', 'a']);
        expect(all[0]).toMatchObject({ ...somePost('a'), state: 'waiting', attempts: 0 });
        expect(all[1]).toMatchObject({ ...somePost('b', 'hangup'), repeatable: true });
        expect(all[0]!.seq).toBeLessThan(all[1]!.seq);
        expect(all[1]!.seq).toBeLessThan(all[2]!.seq);
        expect((await lead.load()).posts).toEqual(all);
      });

      test('an empty turn changes nothing', async () => {
        expect(await lead.commit({ calls: [], posts: [] })).toEqual([]);
        expect(await lead.load()).toEqual({ calls: [], roots: [], aftermath: [], posts: [], newCalls: [] });
      });

      test('dead and unknown ones are forgotten when the lead says so, and no others', async () => {
        const [unknown, waiting] = await lead.commit(turn('a', 'b'));
        await store.outbox.settle(unknown!.seq, 'unknown', 'no answer');
        const states = async () =>
          (await lead.knowledge([asCallId('a'), asCallId('b')])).flatMap(({ posts }) =>
            posts.map(({ state }) => state),
          );
        expect(await states()).toEqual(['unknown', 'waiting']);
        await lead.drop([unknown!.seq, waiting!.seq, 1]);
        expect(await states()).toEqual(['waiting']);
      });

      test('an attempt is written and counted; its outcome too, with the reason', async () => {
        const [item] = await lead.commit(turn('a'));
        await store.outbox.attempt(item!.seq);
        expect((await lead.load()).posts).toMatchObject([{ seq: item!.seq, state: 'sending', attempts: 1 }]);
        await store.outbox.settle(item!.seq, 'waiting', 'connection refused');
        expect((await lead.load()).posts).toMatchObject([
          { state: 'waiting', attempts: 1, reason: 'connection refused' },
        ]);
        await store.outbox.attempt(item!.seq);
        expect((await lead.load()).posts).toMatchObject([{ state: 'sending', attempts: 2 }]);
      });

      test('what is delivered, dead or unknown is not open any more', async () => {
        const items = await lead.commit(turn('a', 'b', 'c', 'd'));
        await store.outbox.settle(items[0]!.seq, 'delivered');
        await store.outbox.settle(items[1]!.seq, 'dead', 'too old');
        await store.outbox.settle(items[3]!.seq, 'unknown', 'no answer');
        expect((await lead.load()).posts.map(({ callId }) => callId)).toEqual(['c']);
      });

      test('what was given is a picture of that moment', async () => {
        const [item] = await lead.commit(turn('a'));
        const before = await lead.load();
        await store.outbox.attempt(item!.seq);
        expect(item).toMatchObject({ state: 'waiting', attempts: 0 });
        expect(before.posts).toMatchObject([{ state: 'waiting' }]);
      });

      test('numbers are not used again', async () => {
        const [first] = await lead.commit(turn('a'));
        await store.outbox.settle(first!.seq, 'delivered');
        const [second] = await lead.commit(turn('b'));
        expect(second!.seq).toBeGreaterThan(first!.seq);
      });

      test('writing about a post that is not open is refused', async () => {
        const [item] = await lead.commit(turn('a'));
        await store.outbox.settle(item!.seq, 'delivered');
        const refusal = { code: 'ZPB_OUTBOX_NO_SUCH_POST', retriable: false };
        await expect(store.outbox.attempt(item!.seq)).rejects.toMatchObject(refusal);
        await expect(store.outbox.settle(item!.seq, 'dead', 'x')).rejects.toMatchObject(refusal);
        await expect(store.outbox.attempt(item!.seq + 1000)).rejects.toMatchObject(refusal);
      });

      test('commits that are under way at once keep their order', async () => {
        const names = Array.from({ length: 60 }, (_, index) => `call-${index}`);
        const committed = await Promise.all(names.map((call) => lead.commit(turn(call))));
        const seqs = committed.flat().map(({ seq }) => seq);
        expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
        expect((await lead.load()).posts.map(({ callId }) => callId)).toEqual(names);
      });
    });

    describe('calls', () => {
      test('are there until they are over', async () => {
        await lead.commit({ calls: [openCall('a'), openCall('b')], posts: [] });
        await lead.commit({ calls: [openCall('a', { answered: true })], posts: [somePost('a')] });
        const { calls } = await lead.load();
        expect(new Map(calls.map((call) => [call.id, call]))).toEqual(
          new Map([
            [asCallId('a'), openCall('a', { answered: true }).record],
            [asCallId('b'), openCall('b').record],
          ]),
        );
        await lead.commit({ calls: [overCall('a')], posts: [somePost('a', 'hangup')] });
        expect((await lead.load()).calls.map(({ id }) => id)).toEqual(['b']);
      });

      test('how many an open call’s leg has started is known', async () => {
        await lead.commit({ calls: [openCall('a', { ordinal: 3, root: asLegId('leg') })], posts: [] });
        expect((await lead.load()).roots).toEqual([{ root: 'leg', count: 3 }]);
      });

      test('knowledge: open or not, and the posts that are still there', async () => {
        const items = await lead.commit({
          calls: [openCall('a')],
          posts: [somePost('a'), somePost('b'), somePost('a', 'answer')],
        });
        expect(await lead.knowledge(['a', 'b', 'c'].map(asCallId))).toEqual([
          { callId: 'a', open: true, posts: [items[0], items[2]] },
          { callId: 'b', open: false, posts: [items[1]] },
          { callId: 'c', open: false, posts: [] },
        ]);
        expect(await lead.knowledge([])).toEqual([]);
      });

      test('the PBXs that have any are known', async () => {
        const other = await leadOf(store, asPbxName('other'));
        const third = await leadOf(store, asPbxName('third'));
        await lead.commit({ calls: [openCall('a')], posts: [] });
        await other.commit({ calls: [overCall('x')], posts: [somePost('x', 'hangup', { pbx: other.pbx })] });
        const [done] = await third.commit({
          calls: [overCall('y')],
          posts: [somePost('y', 'hangup', { pbx: third.pbx })],
        });
        await store.outbox.settle(done!.seq, 'delivered');
        expect([...(await store.pbxs())].sort()).toEqual(['office', 'other']);
      });
    });

    describe('leads', () => {
      test('a PBX is led once; another one beside it', async () => {
        expect(isLead(await store.lead(OFFICE))).toBe(false);
        const other = await leadOf(store, asPbxName('other'));
        expect(other.epoch).toBeGreaterThan(lead.epoch);
        expect(lead.ended.aborted).toBe(false);
        expect(lead.wanted).toBe(false);
      });

      test('after its release nothing is written for it, and it can be had again, with a higher epoch', async () => {
        const [item] = await lead.commit(turn('a'));
        await lead.release();
        await lead.release();
        expect(lead.ended.aborted).toBe(true);
        const refusal = { code: 'ZPB_STORE_NOT_LEADING' };
        await expect(lead.commit(turn('b'))).rejects.toMatchObject(refusal);
        await expect(lead.load()).rejects.toMatchObject(refusal);
        const next = await leadOf(store);
        expect(next.epoch).toBeGreaterThan(lead.epoch);
        await expect(lead.commit(turn('b'))).rejects.toMatchObject(refusal);
        expect((await next.load()).posts).toEqual([item]);
        await store.outbox.attempt(item!.seq);
        const [second] = await next.commit(turn('c'));
        expect(second!.seq).toBeGreaterThan(item!.seq);
      });

      test('a closed store refuses, and may be closed again', async () => {
        const [item] = await lead.commit(turn('a'));
        await store.close(1_000);
        await store.close(1_000);
        const refusal = { code: 'ZPB_OUTBOX_CLOSED' };
        await expect(lead.commit(turn('b'))).rejects.toMatchObject(refusal);
        await expect(store.outbox.attempt(item!.seq)).rejects.toMatchObject(refusal);
        await expect(store.lead(OFFICE)).rejects.toMatchObject(refusal);
        expect(lead.ended.aborted).toBe(true);
      });

      test('nothing that is well says anything else', async () => {
        await lead.commit(turn('a'));
        expect(store.state).toEqual({ state: 'ok' });
        expect(store.unwritten).toBe(0);
      });
    });

    describe("agents' states", () => {
      describeAgentStates(() => ({
        states: () => store.agentStates,
        reopen: async () => {
          if (made.reopen === undefined) return undefined;
          await store.close(1_000);
          store = await made.reopen();
          return store.agentStates;
        },
        desk: made.desk,
      }));
    });

    describe('after it was opened again', () => {
      const again = async (): Promise<Lead | undefined> => {
        // In memory: gone with it, and nothing else may be promised.
        if (made.reopen === undefined) return undefined;
        await store.close(1_000);
        store = await made.reopen();
        return leadOf(store);
      };

      test('what was committed is there', async () => {
        const items = await lead.commit({
          calls: [openCall('a'), openCall('z', { root: asLegId('leg-z'), ordinal: 2 })],
          posts: [somePost('a'), somePost('b'), somePost('c'), somePost('a', 'answer')],
        });
        await store.outbox.attempt(items[1]!.seq);
        await store.outbox.settle(items[2]!.seq, 'dead', 'refused');
        await store.outbox.settle(items[0]!.seq, 'delivered');
        await lead.commit({ calls: [{ ...overCall('z', 2), aftermath: [asLegId('leg-f')] }], posts: [] });
        const next = await again();
        if (next === undefined) return;
        const heritage = await next.load();
        expect(
          heritage.posts.map(({ callId, post, state, attempts }) => [callId, post.event, state, attempts]),
        ).toEqual([
          ['b', 'newCall', 'sending', 1],
          ['a', 'answer', 'waiting', 0],
        ]);
        expect(heritage.calls).toEqual([openCall('a').record]);
        expect(heritage.aftermath).toEqual(['leg-f']);
        expect(new Map(heritage.roots.map(({ root, count }) => [root, count]))).toEqual(
          new Map([
            [asLegId('leg-a'), 1],
            [asLegId('leg-z'), 2],
          ]),
        );
        expect(heritage.newCalls.map(({ callId, state }) => [callId, state])).toEqual([
          ['a', 'delivered'],
          ['b', 'sending'],
        ]);
        const [fresh] = await next.commit(turn('d'));
        expect(fresh!.seq).toBeGreaterThan(items[3]!.seq);
        await store.outbox.settle(items[3]!.seq, 'delivered');
        expect((await next.load()).posts.map(({ callId }) => callId)).toEqual(['b', 'd']);
      });

      test('very many are there, in order, each once', async () => {
        const names = Array.from({ length: 2_500 }, (_, n) => `call-${n}`);
        const items = await lead.commit({
          calls: names.slice(0, 1_200).map((name) => openCall(name)),
          posts: names.flatMap((name) => [somePost(name), somePost(name, 'answer')]),
        });
        const next = await again();
        if (next === undefined) return;
        const heritage = await next.load();
        expect(heritage.posts.map(({ seq }) => seq)).toEqual(items.map(({ seq }) => seq));
        expect(heritage.newCalls.map(({ callId }) => callId)).toEqual(names);
        expect(new Set(heritage.calls.map(({ id }) => id))).toEqual(new Set(names.slice(0, 1_200)));
      });

      test('what belongs to another PBX is left to its lead', async () => {
        const other = await leadOf(store, asPbxName('other'));
        await lead.commit({ calls: [openCall('a')], posts: [somePost('a')] });
        await other.commit({ calls: [openCall('x')], posts: [somePost('x', 'newCall', { pbx: other.pbx })] });
        const next = await again();
        if (next === undefined) return;
        const heritage = await next.load();
        expect(heritage.posts.map(({ callId }) => callId)).toEqual(['a']);
        expect(heritage.newCalls.map(({ callId }) => callId)).toEqual(['a']);
        expect(heritage.calls.map(({ id }) => id)).toEqual(['a']);
      });
    });

    describe('credentials', () => {
      /** ms later than any store's clock: what has run out by that goes whenever the store likes. */
      const AT = 4_000_000_000_000;
      const token = (id: string, agent = '100', createdAt = AT + 1_000): Credential => ({
        id,
        kind: 'token',
        agent,
        hash: `hash of ${id}`,
        label: `label of ${id}`,
        createdAt,
      });
      const session = (id: string, parent: string, createdAt: number, expiresAt: number): Credential => ({
        id,
        kind: 'session',
        agent: '100',
        hash: `hash of ${id}`,
        parent,
        createdAt,
        expiresAt,
      });

      test('come back as they were kept, to those who know the id', async () => {
        const { credentials } = store;
        expect(await credentials.add(token('b', '101', AT + 2_000))).toBe(true);
        expect(await credentials.add(token('a'))).toBe(true);
        expect(await credentials.find('a', AT + 5_000)).toEqual(token('a'));
        expect(await credentials.find('c', AT + 5_000)).toBeUndefined();
        expect((await credentials.tokens()).map(({ id }) => id).sort()).toEqual(['a', 'b']);
        expect(await credentials.tokens('101')).toEqual([token('b', '101', AT + 2_000)]);
      });

      test('a session holds until its time is over, and is no token', async () => {
        const { credentials } = store;
        await credentials.add(token('t'));
        expect(await credentials.add(session('s', 't', AT + 2_000, AT + 9_000))).toBe(true);
        expect(await credentials.find('s', AT + 8_999)).toEqual(session('s', 't', AT + 2_000, AT + 9_000));
        expect(await credentials.find('s', AT + 9_000)).toBeUndefined();
        expect((await credentials.tokens()).map(({ id }) => id)).toEqual(['t']);
      });

      test('a revoked token takes its sessions along, and no new one begins', async () => {
        const { credentials } = store;
        await credentials.add(token('t'));
        await credentials.add(token('other'));
        await credentials.add(session('s', 't', AT + 2_000, AT + 9_000));
        await credentials.add(session('o', 'other', AT + 2_000, AT + 9_000));
        expect(await credentials.revoke('t')).toEqual(token('t'));
        expect(await credentials.revoke('t')).toBeUndefined();
        expect(await credentials.find('t', AT + 3_000)).toBeUndefined();
        expect(await credentials.find('s', AT + 3_000)).toBeUndefined();
        expect(await credentials.add(session('late', 't', AT + 3_000, AT + 9_000))).toBe(false);
        expect(await credentials.find('late', AT + 3_000)).toBeUndefined();
        expect(await credentials.find('o', AT + 3_000)).toBeDefined();
      });

      test('only so many browsers of one token: the oldest go, and those whose time is over', async () => {
        const { credentials } = store;
        await credentials.add(token('t'));
        await credentials.add(session('short', 't', 1_500, 1_600));
        for (let n = 0; n < SESSIONS_OF_A_TOKEN + 2; n += 1)
          await credentials.add(session(`s${n}`, 't', AT + 2_000 + n, AT + 1_000_000));
        expect(await credentials.find('short', 0)).toBeUndefined();
        expect(await credentials.find('s1', AT + 3_000)).toBeUndefined();
        expect(await credentials.find('s2', AT + 3_000)).toBeDefined();
        expect(await credentials.find(`s${SESSIONS_OF_A_TOKEN + 1}`, AT + 3_000)).toBeDefined();
      });

      test('a maker whose clock is ahead ends nobody’s session', async () => {
        const { credentials } = store;
        await credentials.add(token('t'));
        await credentials.add(session('s', 't', AT, AT + 9_000));
        await credentials.add(token('ahead', '100', 2 * AT));
        expect(await credentials.find('s', AT)).toBeDefined();
      });

      test('survive the process where the store does, and can be ended from outside', async () => {
        if (made.desk === undefined) return;
        const desk = await made.desk();
        try {
          await desk.credentials.add(token('t'));
          expect(await store.credentials.find('t', AT + 3_000)).toEqual(token('t'));
          await desk.credentials.revoke('t');
          expect(await store.credentials.find('t', AT + 3_000)).toBeUndefined();
          await desk.credentials.add(token('stays'));
        } finally {
          await desk.close();
        }
        await store.close(1_000);
        store = (await made.reopen?.()) ?? store;
        expect(await store.credentials.find('stays', AT + 3_000)).toEqual(token('stays'));
      });
    });

    describe('seen from outside', () => {
      const withDesk = async (task: (desk: Desk) => Promise<void>): Promise<void> => {
        // What lives in this process's memory cannot be seen from outside.
        if (made.desk === undefined) return;
        const desk = await made.desk();
        try {
          await task(desk);
        } finally {
          await desk.close();
        }
      };

      test('posts are listed, newest first', () =>
        withDesk(async (desk) => {
          const items = await lead.commit(turn('a', 'b', 'c', 'd'));
          await store.outbox.settle(items[2]!.seq, 'unknown', 'no answer');
          await store.outbox.settle(items[0]!.seq, 'dead', 'too old');
          await store.outbox.settle(items[3]!.seq, 'dead', 'refused');
          const listed = await desk.list(['dead', 'unknown'], 10);
          expect(listed.map(({ callId, state, reason }) => [callId, state, reason])).toEqual([
            ['d', 'dead', 'refused'],
            ['c', 'unknown', 'no answer'],
            ['a', 'dead', 'too old'],
          ]);
          expect((await desk.list(['dead', 'unknown'], 1)).map(({ callId }) => callId)).toEqual(['d']);
          expect((await desk.list(['waiting'], 10)).map(({ callId }) => callId)).toEqual(['b']);
          expect(await desk.list([], 10)).toEqual([]);
        }));

      test('dead and unknown ones are sent again, others not; each is given out once', () =>
        withDesk(async (desk) => {
          const items = await lead.commit(turn('a', 'b', 'c'));
          await store.outbox.attempt(items[0]!.seq);
          await store.outbox.settle(items[0]!.seq, 'unknown', 'no answer');
          await store.outbox.settle(items[1]!.seq, 'delivered');
          expect(await lead.handedIn()).toEqual([]);
          const resent = await desk.resend(items.map(({ seq }) => seq));
          expect(resent).toMatchObject([{ seq: items[0]!.seq, state: 'waiting', attempts: 1 }]);
          const given = await lead.handedIn();
          expect(given).toEqual(resent);
          expect(await lead.handedIn()).toEqual([]);
          await store.outbox.attempt(items[0]!.seq);
          await store.outbox.settle(items[0]!.seq, 'delivered');
          expect(await lead.handedIn()).toEqual([]);
          expect((await desk.list(['delivered'], 10)).map(({ callId }) => callId)).toEqual(['b', 'a']);
        }));

      test('one that was sent again while nobody led is loaded, and not given out besides', () =>
        withDesk(async (desk) => {
          const [item] = await lead.commit(turn('a'));
          await store.outbox.settle(item!.seq, 'dead', 'refused');
          await lead.release();
          await desk.resend([item!.seq]);
          const next = await leadOf(store);
          expect((await next.load()).posts).toMatchObject([{ seq: item!.seq, state: 'waiting' }]);
          await store.outbox.settle(item!.seq, 'delivered');
          expect(await next.handedIn()).toEqual([]);
          expect((await desk.list(['delivered'], 10)).map(({ callId }) => callId)).toEqual(['a']);
        }));

      test('dead and unknown ones are dropped, others not', () =>
        withDesk(async (desk) => {
          const items = await lead.commit(turn('a', 'b'));
          await store.outbox.settle(items[0]!.seq, 'dead', 'refused');
          expect((await desk.drop(items.map(({ seq }) => seq))).map(({ callId }) => callId)).toEqual(['a']);
          expect(await desk.list(['dead', 'unknown'], 10)).toEqual([]);
          expect((await lead.load()).posts.map(({ callId }) => callId)).toEqual(['b']);
        }));

      test('posts are handed in, with numbers of their own', () =>
        withDesk(async (desk) => {
          const [mine] = await lead.commit(turn('a'));
          const added = await desk.handIn([
            somePost('a', 'hangup'),
            somePost('x', 'hangup', { pbx: asPbxName('other') }),
          ]);
          expect(new Set([mine!.seq, ...added.map(({ seq }) => seq)]).size).toBe(3);
          expect(await desk.handIn([])).toEqual([]);
          const given = await lead.handedIn();
          expect(given).toEqual([added[0]]);
          await store.outbox.attempt(given[0]!.seq);
          expect((await lead.load()).posts.map(({ post, state }) => [post.event, state])).toEqual([
            ['newCall', 'waiting'],
            ['hangup', 'sending'],
          ]);
          expect(await desk.knowledge([asCallId('a')])).toMatchObject([
            { callId: 'a', open: false, posts: [{ seq: mine!.seq }, { seq: given[0]!.seq, state: 'sending' }] },
          ]);
        }));

      test('many at once', () =>
        withDesk(async (desk) => {
          const items = await lead.commit({
            calls: [],
            posts: Array.from({ length: 700 }, (_, index) =>
              somePost(`c${index}`, 'newCall', { zammad: asZammadName('main') }),
            ),
          });
          await Promise.all(items.map(({ seq }) => store.outbox.settle(seq, 'dead', 'refused')));
          expect(await desk.resend(items.map(({ seq }) => seq))).toHaveLength(700);
          expect((await lead.handedIn()).map(({ seq }) => seq)).toEqual(items.map(({ seq }) => seq));
          expect(await lead.knowledge(items.map(({ callId }) => callId))).toHaveLength(700);
        }));
    });
  });
}
