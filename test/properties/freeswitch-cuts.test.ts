import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { callerLogOf, type JudgedRow } from '../support/caller-log-judge.js';
import { customerOf, expectWhole, seen } from '../support/caller-log-picture.js';
import { freeSwitchCases, type TimedEvent } from '../support/freeswitch-cases.js';
import { type Cut, playWithCuts } from '../support/freeswitch-resync.js';
import type { TimedPost } from '../support/leg-bench.js';

interface Recorded {
  readonly name: string;
  readonly events: readonly TimedEvent[];
}
const recorded: readonly Recorded[] = freeSwitchCases.map((one) => ({ name: one.name, events: one.events() }));
/** By name, so that a failure is short to read. */
const byName = new Map(recorded.map((one) => [one.name, one]));
const named = (name: string): Recorded => byName.get(name)!;
const play = ({ events }: Recorded, ...cuts: Cut[]): readonly TimedPost[] => playWithCuts(events, cuts);

const uncutOf = new Map<string, readonly JudgedRow[]>();
function uncutRows(one: Recorded): readonly JudgedRow[] {
  const rows = uncutOf.get(one.name) ?? callerLogOf(play(one)).rows;
  uncutOf.set(one.name, rows);
  return rows;
}

describe.each([
  { what: 'the connection is lost', crash: false },
  { what: 'the bridge crashes and goes on from its journal', crash: true },
])('$what in the middle of calls', ({ crash }) => {
  test('and nothing happens meanwhile: the caller log is the same, wherever it is cut', () => {
    for (const one of recorded) {
      const uncut = uncutRows(one).map(seen).sort();
      for (let at = 0; at <= one.events.length; at += 1) {
        const where = `${one.name}, cut before event ${at}`;
        const rows = expectWhole(play(one, { from: at, to: at, crash }), where);
        expect({ where, rows: rows.map(seen).sort() }).toEqual({ where, rows: uncut });
      }
    }
  });

  test('and something happens meanwhile: one newCall and one hangup for each call', () => {
    const cut = fc.constantFrom(...byName.keys()).chain((name) =>
      fc.record({
        name: fc.constant(name),
        places: fc.uniqueArray(fc.nat(named(name).events.length), { minLength: 2, maxLength: 6 }),
      }),
    );
    fc.assert(
      fc.property(cut, ({ name, places }) => {
        const one = named(name);
        const sorted = places.toSorted((a, b) => a - b);
        const cuts = sorted.flatMap((from, index) => {
          const to = sorted[index + 1];
          return index % 2 === 0 && to !== undefined ? [{ from, to, crash }] : [];
        });
        const where = `${one.name}, not heard: ${cuts.map(({ from, to }) => `${from}-${to}`).join(', ')}`;
        const rows = expectWhole(play(one, ...cuts), where);
        const customers = new Set(uncutRows(one).map(customerOf));
        const strange = rows.map(customerOf).filter((customer) => !customers.has(customer));
        expect({ where, strange }).toEqual({ where, strange: [] });
      }),
      { seed: 20261126, numRuns: 800 },
    );
  });
});

test('the bridge starts in the middle of calls: those that are there come out right', () => {
  let compared = 0;
  for (const one of recorded) {
    const customers = new Set(uncutRows(one).map(customerOf));
    for (let at = 1; at <= one.events.length; at += 1) {
      const where = `${one.name}, started before event ${at}`;
      const rows = expectWhole(play(one, { from: 0, to: at }), where);
      const strange = rows.map(customerOf).filter((customer) => !customers.has(customer));
      expect({ where, strange }).toEqual({ where, strange: [] });
      compared += rows.length;
    }
  }
  expect(compared).toBeGreaterThan(300);
});
