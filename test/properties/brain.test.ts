import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { TOMBSTONE_MS } from '../../src/call/leg-table.js';
import { asConversationId, asLegId, type LegEvent, type Line } from '../../src/call/vocabulary.js';
import { BrainBench, snapshot } from '../support/brain-bench.js';

const SEED = { seed: Number(process.env['ZPB_SEED'] ?? 20261123), numRuns: 3000 };

const leg = fc.constantFrom(...['a', 'b', 'c', 'd', 'e', 'f'].map(asLegId));
const conversation = fc.constantFrom(...['x', 'y'].map(asConversationId));
const number = fc.option(fc.constantFrom('03012345678', '+4930555200', '01711111111', '100', '', 's'), {
  nil: undefined,
});
const line: fc.Arbitrary<Line> = fc.constantFrom<Line>(
  { kind: 'trunk', name: 'trunk' },
  { kind: 'agent', extension: '100', device: 'PJSIP/100' },
  { kind: 'agent', extension: '101', device: 'PJSIP/101' },
  { kind: 'pbx' },
);
const maybeLeg = fc.option(leg, { nil: undefined });
const by = fc.constantFrom('far' as const, 'pbx' as const, 'us' as const);
const q850 = fc.option(fc.constantFrom(0, 1, 16, 17, 26, 34, 127), { nil: undefined });

/** Anything an adapter could say, sense or nonsense. */
const event: fc.Arbitrary<LegEvent> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('appeared' as const),
      leg,
      line,
      origin: fc.constantFrom('incoming' as const, 'outgoing' as const),
      from: number,
      dialled: number,
      by: maybeLeg,
      onBehalfOf: fc.constantFrom(undefined, '100'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('called' as const), leg, by: maybeLeg }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('up' as const), leg }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('joined' as const), leg, conversation }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('left' as const), leg, conversation }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('replaced' as const), old: leg, new: leg }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('queued' as const), leg, queue: fc.constant('sales') }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('recorder' as const),
      leg,
      kind: fc.constantFrom('voicemail' as const, 'ivr' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('ended' as const), leg, q850, by, elsewhere: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('snapshot' as const),
      legs: fc.subarray(['a', 'b', 'c', 'd', 'e', 'f'].map(asLegId)),
    }),
  },
  { weight: 1, arbitrary: fc.constant<LegEvent>({ type: 'stopping' }) },
);
/** Batches, each after a pause; all of it takes less than a tombstone lives, so that no id is used again. */
const story = fc.array(
  fc.record({ pause: fc.constantFrom(0, 0, 1, 200, 1500), batch: fc.array(event, { minLength: 1, maxLength: 4 }) }),
  { maxLength: 30 },
);
const settings = fc.record({
  newCall: fc.constantFrom('ringing' as const, 'arrival' as const),
  answerAgain: fc.boolean(),
  reportConsultations: fc.boolean(),
});

/** What is wrong with the posts, call by call; `open`: a call may still go on. */
function faults(bench: BrainBench, open: boolean): readonly string[] {
  const told = new Map<string, string[]>();
  for (const { post } of bench.told) told.set(post.callId, [...(told.get(post.callId) ?? []), post.event]);
  return [...told]
    .filter(
      ([, events]) => !/^newCall( answer)*( hangup)?$/.test(events.join(' ')) || (!open && events.at(-1) !== 'hangup'),
    )
    .map(([callId, events]) => `${callId}: ${events.join(' ')}`);
}

describe('the brain, whatever legs do', () => {
  test('never tells a call twice, nor out of order, and forgets everything in the end', () => {
    fc.assert(
      fc.property(story, settings, (batches, calls) => {
        const bench = new BrainBench({ calls });
        for (const { pause, batch } of batches) bench.until(bench.now + pause).say(...batch);
        expect(faults(bench, true)).toEqual([]);
        bench.say(snapshot()).until(bench.now + 10_000);
        expect(faults(bench, false)).toEqual([]);
        expect([...bench.brain.calls()]).toEqual([]);
        bench.until(bench.now + TOMBSTONE_MS).say();
        expect(bench.brain.size).toBe(0);
        expect(bench.brain.nextTick()).toBeUndefined();
      }),
      SEED,
    );
  });

  test('says the same when it hears everything twice', () => {
    fc.assert(
      fc.property(story, (batches) => {
        const once = new BrainBench();
        const twice = new BrainBench();
        // A leg that is told of its replacement again has no old leg any more; said twice, it means the same.
        for (const { pause, batch } of batches) {
          once.until(once.now + pause).say(...batch);
          twice.until(twice.now + pause).say(...batch.flatMap((one) => [one, one]));
        }
        expect(twice.told).toEqual(once.told);
      }),
      SEED,
    );
  });
});
