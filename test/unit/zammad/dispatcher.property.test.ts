/** Any sequence of faults, any interleaving: what must never happen to the rows of Zammad's caller log. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { asCallId } from '../../../src/call/vocabulary.js';
import type { Post } from '../../../src/call/vocabulary.js';
import type { Fault } from './support/model-zammad.js';
import { Rig, answer, hangup, newCall } from './support/rig.js';

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

async function play(calls: readonly Plan[], script: readonly Fault[], rig: Rig, restartAt: number): Promise<void> {
  rig.zammad.fault = (_post, n) => script[n] ?? 'none';
  rig.start();
  const coming = calls
    .flatMap((call) => postsOf(call).map((post, i) => ({ post, at: i * call.gap, repeatable: call.answered })))
    .sort((a, b) => a.at - b.at);
  for (const { post, at, repeatable } of coming) {
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

for (const canReadBack of [false, true]) {
  test(`rows are right whatever happens (${canReadBack ? 'with' : 'without'} an API token)`, async () => {
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
