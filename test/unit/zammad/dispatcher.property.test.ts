/** Any sequence of faults, any interleaving: what must never happen to the rows of Zammad's caller log. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { asCallId } from '../../../src/call/vocabulary.js';
import type { Post } from '../../../src/call/vocabulary.js';
import type { Fault } from './support/model-zammad.js';
import { FakeOutbox } from '../../support/fake-outbox.js';
import { MAIN, OFFICE, Rig, TestLead, answer, hangup, newCall } from './support/rig.js';

interface Plan {
  readonly id: string;
  readonly answered: boolean;
  /** ms between its posts. */
  readonly gap: number;
}

const faults = fc.constantFrom<Fault>(
  'none',
  'none',
  'refusedConnection',
  'answerLost',
  'swallowed',
  'late',
  'errorAfterSave',
  'tokenWrong',
);
const plans = fc
  .array(fc.record({ answered: fc.boolean(), gap: fc.integer({ min: 0, max: 400 }) }), { minLength: 1, maxLength: 5 })
  .map((calls): Plan[] => calls.map((call, i) => ({ ...call, id: `c${i}` })));

const postsOf = ({ id, answered }: Plan): readonly Post[] =>
  answered ? [newCall(id), answer(id), hangup(id)] : [newCall(id), hangup(id)];

const comingOf = (calls: readonly Plan[]) =>
  calls
    .flatMap((call) => postsOf(call).map((post, i) => ({ post, at: i * call.gap, repeatable: call.answered })))
    .sort((a, b) => a.at - b.at);

async function restart(calls: readonly Plan[], script: readonly Fault[], rig: Rig, restartAt: number): Promise<void> {
  rig.zammad.fault = (_post, n) => script[n] ?? 'none';
  rig.start();
  for (const { post, at, repeatable } of comingOf(calls)) {
    await rig.clock.advance(Math.max(0, at - rig.clock.monotonic()));
    rig.tell([post], { repeatable });
  }
  await rig.clock.advance(restartAt);
  // As if killed: what is under way is cut off, and the outbox is all that is left.
  const stopped = rig.dispatcher.stop(0);
  await rig.clock.advance(1);
  await stopped;
  rig.newDispatcher();
  rig.start();
  await rig.untilIdle();
}

/** The lead runs out at `until`; another bridge takes over `gap` ms later, and the first one learns of it `lag` ms after that. */
async function handOver(calls: readonly Plan[], script: readonly Fault[], rig: Rig, until: number): Promise<void> {
  const [gap, lag] = [until % 700, until % 3000];
  rig.zammad.fault = (_post, n) => script[n] ?? 'none';
  rig.lead.until = until;
  rig.start();
  const outbox = new FakeOutbox(rig.outbox);
  outbox.epoch = 2;
  const next = new Rig({ timeout: 2000 }, outbox, rig);
  next.dispatcher.start();
  const coming = [...comingOf(calls)];
  const tell = async (to: Rig, before: number): Promise<void> => {
    while (coming[0] !== undefined && coming[0].at < before) {
      const { post, at, repeatable } = coming.shift()!;
      await rig.clock.advance(Math.max(0, at - rig.clock.monotonic()));
      to.tell([post], { repeatable });
    }
  };
  await tell(rig, until);
  await rig.clock.advance(Math.max(0, until + gap - rig.clock.monotonic()));
  expect(rig.zammad.sent.every(({ at }) => at < until - 1000)).toBe(true);
  rig.outbox.notLeading = true;
  next.take(new TestLead(OFFICE, 2));
  rig.clock.after(lag, () => {
    rig.lead.end();
    void rig.dispatcher.drop(OFFICE);
  });
  await tell(next, Infinity);
  await next.untilIdle();
  await rig.clock.advance(lag + 1);
  expect(rig.dispatcher.state(MAIN).depth).toBe(0);
}

const ways = [
  ['the bridge is killed and starts again', restart],
  ['another bridge takes over', handOver],
] as const;

for (const [what, play] of ways)
  for (const canReadBack of [false, true]) {
    test(`${what}: rows are right whatever happens (${canReadBack ? 'with' : 'without'} an API token)`, async () => {
      await fc.assert(
        fc.asyncProperty(
          plans,
          fc.array(faults, { maxLength: 25 }),
          fc.integer({ min: 0, max: 20_000 }),
          async (calls, script, restartAt) => {
            const rig = new Rig({ timeout: 2000 });
            rig.zammad.canReadBack = canReadBack;
            await play(calls, script, rig, restartAt);

            expect(rig.zammad.mostPerCall).toBe(1);
            expect(rig.zammad.most).toBeLessThanOrEqual(4);
            expect(rig.outbox.open()).toEqual([]);
            const troubled = rig.outbox.troubled();
            for (const call of calls) {
              const row = rig.zammad.rows.get(asCallId(call.id));
              const history = row?.history ?? [];
              const unknown = troubled.filter(({ callId }) => callId === call.id).map(({ post }) => post.event);
              // One row, told first; a missed call is never hung up twice, which would take it off the list of missed calls.
              expect(history[0]).toBe('newCall');
              expect(history.filter((event) => event === 'newCall')).toHaveLength(1);
              const hangups = history.filter((event) => event === 'hangup').length;
              if (call.answered) {
                expect(history.lastIndexOf('answer')).toBeLessThan(history.indexOf('hangup'));
                expect(hangups).toBeGreaterThanOrEqual(1);
              } else {
                expect(hangups).toBeLessThanOrEqual(1);
                // What is not hung up is listed for a person, and with a token nothing has to be.
                if (hangups === 0) expect(unknown).toEqual(['hangup']);
                if (canReadBack)
                  expect({ hangups, unknown, done: row?.done }).toEqual({ hangups: 1, unknown: [], done: false });
              }
            }
          },
        ),
        { numRuns: 60 },
      );
    }, 60_000);
  }
