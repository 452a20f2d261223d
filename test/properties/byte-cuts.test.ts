/** The network cuts a stream where it likes: the posts must not know. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { adapter } from '../../adapters/asterisk-ami/index.js';
import type { LegEvent } from '../../src/call/vocabulary.js';
import { asteriskCases, type AsteriskCase } from '../support/asterisk-cases.js';

const SEED = Number(process.env['ZPB_SEED'] ?? 20261123);

/** What the adapter makes of a recording's bytes that come in these pieces. */
function eventsOf(one: AsteriskCase, cuts: readonly number[]): readonly { at: number; batch: readonly LegEvent[] }[] {
  const bytes = one.bytes();
  const settings = adapter.configSchema.parse({ username: 'u', secret: 's', trunks: [...one.trunks] });
  const reader = adapter.readRecording?.(settings);
  if (reader === undefined) throw new Error('the adapter reads no recordings');
  const places = [...new Set(cuts.map((cut) => cut % bytes.length))].sort((a, b) => a - b);
  return [0, ...places].flatMap((from, index) => reader.push(bytes.subarray(from, places[index] ?? bytes.length)));
}

test('any cut of the byte stream gives the same events at the same times', () => {
  const cuts = fc.array(fc.nat(200_000), { maxLength: 60 });
  fc.assert(
    fc.property(fc.constantFrom(...asteriskCases), cuts, (one, places) => {
      const whole = eventsOf(one, []);
      expect(whole.length).toBeGreaterThan(0);
      expect(eventsOf(one, places)).toEqual(whole);
    }),
    { seed: SEED, numRuns: 300 },
  );
});

test('a byte at a time gives the same events at the same times', () => {
  const shortest = [...asteriskCases].sort((a, b) => a.bytes().length - b.bytes().length).slice(0, 8);
  for (const one of shortest) {
    const { length } = one.bytes();
    expect(
      eventsOf(
        one,
        Array.from({ length }, (_, at) => at),
      ),
    ).toEqual(eventsOf(one, []));
  }
});
