/** What every outbox must do, in memory or on a disk: its tests call this with a way to make one. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { asCallId, asZammadName } from '../../src/call/vocabulary.js';
import type { NewOutboxItem, Outbox } from '../../src/store/outbox.js';

export interface OutboxUnderTest {
  readonly outbox: Outbox;
  /** Opens the same store again after `outbox.close()`, for stores that outlive the process. */
  readonly reopen?: () => Promise<Outbox>;
  /** Removes whatever it left behind. */
  readonly dispose: () => Promise<void>;
}

/** A newCall of the call `call` for Zammad `main`. */
export const someItem = (call: string, more: Partial<NewOutboxItem> = {}): NewOutboxItem => ({
  zammad: asZammadName('main'),
  callId: asCallId(call),
  post: {
    event: 'newCall',
    callId: asCallId(call),
    direction: 'in',
    from: '491711234567',
    to: '4930555200',
    user: ['Zoë 😀', "O'Brien"],
    queue: 'sales',
  },
  repeatable: false,
  happenedAt: 1_800_000_000_123,
  ...more,
});

export function describeOutbox(name: string, make: () => Promise<OutboxUnderTest>): void {
  describe(`outbox: ${name}`, () => {
    let made: OutboxUnderTest;
    let outbox: Outbox;
    beforeEach(async () => {
      made = await make();
      outbox = made.outbox;
    });
    afterEach(async () => {
      await outbox.close();
      await made.dispose();
    });

    test('gives back what was appended, whole and in order, with rising numbers', async () => {
      const first = await outbox.append([someItem('a'), someItem('b', { repeatable: true })]);
      const second = await outbox.append([someItem('a')]);
      const all = [...first, ...second];
      expect(all.map(({ callId }) => callId)).toEqual(['a', 'b', 'a']);
      expect(all[0]).toMatchObject({ ...someItem('a'), state: 'waiting', attempts: 0 });
      expect(all[1]).toMatchObject({ repeatable: true });
      expect(all[0]!.seq).toBeLessThan(all[1]!.seq);
      expect(all[1]!.seq).toBeLessThan(all[2]!.seq);
      expect(await outbox.open()).toEqual(all);
    });

    test('appending nothing appends nothing', async () => {
      expect(await outbox.append([])).toEqual([]);
      expect(await outbox.open()).toEqual([]);
    });

    test('an attempt is written and counted; its outcome too, with the reason', async () => {
      const [item] = await outbox.append([someItem('a')]);
      await outbox.attempt(item!.seq);
      expect(await outbox.open()).toMatchObject([{ seq: item!.seq, state: 'sending', attempts: 1 }]);
      await outbox.settle(item!.seq, 'waiting', 'connection refused');
      expect(await outbox.open()).toMatchObject([{ state: 'waiting', attempts: 1, reason: 'connection refused' }]);
      await outbox.attempt(item!.seq);
      expect(await outbox.open()).toMatchObject([{ state: 'sending', attempts: 2 }]);
    });

    test('what is delivered is open no more, and no trouble', async () => {
      const [item] = await outbox.append([someItem('a')]);
      await outbox.attempt(item!.seq);
      await outbox.settle(item!.seq, 'delivered');
      expect(await outbox.open()).toEqual([]);
      expect(await outbox.troubled(10)).toEqual([]);
    });

    test('dead and unknown ones are listed, newest first, and not open', async () => {
      const items = await outbox.append(['a', 'b', 'c', 'd'].map((call) => someItem(call)));
      await outbox.settle(items[2]!.seq, 'unknown', 'no answer');
      await outbox.settle(items[0]!.seq, 'dead', 'too old');
      await outbox.settle(items[3]!.seq, 'dead', 'refused');
      expect((await outbox.troubled(10)).map(({ callId, state, reason }) => [callId, state, reason])).toEqual([
        ['d', 'dead', 'refused'],
        ['c', 'unknown', 'no answer'],
        ['a', 'dead', 'too old'],
      ]);
      expect((await outbox.troubled(1)).map(({ callId }) => callId)).toEqual(['d']);
      expect((await outbox.open()).map(({ callId }) => callId)).toEqual(['b']);
    });

    test('what it gave is a picture of that moment', async () => {
      const [item] = await outbox.append([someItem('a')]);
      const before = await outbox.open();
      await outbox.attempt(item!.seq);
      expect(item).toMatchObject({ state: 'waiting', attempts: 0 });
      expect(before).toMatchObject([{ state: 'waiting' }]);
    });

    test('numbers are not used again', async () => {
      const [first] = await outbox.append([someItem('a')]);
      await outbox.settle(first!.seq, 'delivered');
      const [second] = await outbox.append([someItem('b')]);
      expect(second!.seq).toBeGreaterThan(first!.seq);
    });

    test('writing about a post that is not open is refused', async () => {
      const [item] = await outbox.append([someItem('a')]);
      await outbox.settle(item!.seq, 'delivered');
      await expect(outbox.attempt(item!.seq)).rejects.toMatchObject({ code: 'ZPB_OUTBOX_NO_SUCH_POST' });
      await expect(outbox.settle(item!.seq, 'dead', 'x')).rejects.toMatchObject({ code: 'ZPB_OUTBOX_NO_SUCH_POST' });
      await expect(outbox.attempt(item!.seq + 1000)).rejects.toMatchObject({ code: 'ZPB_OUTBOX_NO_SUCH_POST' });
    });

    test('a closed outbox refuses, and may be closed again', async () => {
      await outbox.close();
      await outbox.close();
      await expect(outbox.append([someItem('a')])).rejects.toMatchObject({ code: 'ZPB_OUTBOX_CLOSED' });
    });

    test('what was committed is there after it was opened again', async () => {
      const items = await outbox.append([someItem('a'), someItem('b'), someItem('c')]);
      await outbox.attempt(items[1]!.seq);
      await outbox.settle(items[2]!.seq, 'dead', 'refused');
      if (made.reopen === undefined) {
        // In memory: gone with it, and nothing else may be promised.
        return;
      }
      await outbox.close();
      outbox = await made.reopen();
      expect((await outbox.open()).map(({ callId, state }) => [callId, state])).toEqual([
        ['a', 'waiting'],
        ['b', 'sending'],
      ]);
      expect((await outbox.troubled(9)).map(({ callId }) => callId)).toEqual(['c']);
      const [next] = await outbox.append([someItem('d')]);
      expect(next!.seq).toBeGreaterThan(items[2]!.seq);
    });
  });
}
