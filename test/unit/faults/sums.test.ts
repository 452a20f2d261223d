import { describe, expect, test } from '@jest/globals';
import { readCallId } from '../../faults/call-ids.js';
import { strayPosts } from '../../faults/fencing.js';
import { haPlans } from '../../faults/ha-plan.js';
import { HearingLedger } from '../../faults/hearing.js';
import { Chance, seedOf } from '../../faults/random.js';
import { median, takeoverLines } from '../../faults/takeovers.js';
import { addFaults, addSums, lineOf, noSums } from '../../faults/tally.js';

test('the last line says all sums', () => {
  const sums = noSums();
  const run = { ...noSums(), runs: 1, calls: 40, unheard: 2, unknown: 1, stall: 12.4 };
  addFaults(run, [
    { kind: 'PBX cut', at: 0, until: 1 },
    { kind: 'kill -9', at: 0, until: 1 },
    { kind: 'kill -9', at: 2, until: 3 },
  ]);
  addSums(sums, run);
  addSums(sums, { ...noSums(), runs: 1, calls: 10, lost: 1 });
  expect(lineOf(sums)).toBe(
    'runs 2, faults 3 (kill -9 2, PBX cut 1), calls 50, lost 1, doubled 0, ringing 0, wrong 0, unheard 2, unknown 1, longest stall 12 ms',
  );
});

test('a call id says which play it belongs to', () => {
  expect(readCallId('office-r1p7-1795410917.12.2')).toEqual({ tag: 'r1p7', leg: '1795410917.12', ordinal: 2 });
  expect(readCallId('office-r1p7-lab-1795410917.12')).toEqual({ tag: 'r1p7', leg: 'lab-1795410917.12', ordinal: 1 });
  expect(readCallId('other-r1p7-1795410917.12')).toBeUndefined();
});

describe('a bridge that does not lead', () => {
  const leads = [
    { bridge: 'a', at: 0 },
    { bridge: 'b', at: 1_000 },
    { bridge: 'a', at: 5_000 },
  ];
  const stray = (bridge: string, at: number): number =>
    strayPosts(leads, [{ bridge, at, what: 'hangup of x' }], 50).length;
  test('may send while it led, and what it had written then', () => {
    expect([stray('a', 500), stray('a', 1_030), stray('b', 1_010), stray('b', 4_999), stray('a', 5_001)]).toEqual([
      0, 0, 0, 0, 0,
    ]);
  });
  test('may send nothing more', () => {
    expect(strayPosts(leads, [{ bridge: 'a', at: 1_200, what: 'hangup of x' }], 50)).toEqual([
      'a sent hangup of x 200 ms after b had taken the lead',
    ]);
    expect(stray('b', 6_000)).toBe(1);
  });
});

test('hearing begins with the login, knows with the list, and ends with the fault', () => {
  let now = 0;
  const ledger = new HearingLedger(() => now);
  const connection = {};
  ledger.login(connection, 'b');
  expect(ledger.hears('b')).toBe(false);
  now = 10;
  ledger.snapshot(connection);
  expect(ledger.hears('b')).toBe(true);
  now = 2_000;
  ledger.end('b', 'killed');
  ledger.closed(connection);
  expect(ledger.list()).toEqual([{ bridge: 'b', login: 0, snapshot: 10, to: 2_000, sure: 1_600, end: 'killed' }]);
});

test('what was heard while the database was gone is not sure when the bridge dies before it can have written it down', () => {
  let now = 0;
  const ledger = new HearingLedger(() => now);
  const die = (at: number): number | undefined => {
    ledger.login({}, 'b');
    now = at;
    ledger.end('b', 'killed');
    return ledger.list().at(-1)?.sure;
  };
  now = 1_000;
  ledger.outageBegins();
  expect(die(2_000)).toBe(1_000);
  now = 3_000;
  ledger.outageEnds();
  expect(die(5_000)).toBe(1_000);
  expect(die(9_000)).toBe(8_600);
});

test('take-overs are told with the longest and the median', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([1, 2, 3, 4])).toBe(2.5);
  const times = [6_100, 400, 5_000];
  expect(takeoverLines(times.map((took) => ({ fault: 'kill -9', took })))).toEqual([
    'take-over after kill -9: 3, longest 6.1 s, median 5.0 s',
  ]);
});

test('the same seed gives the same chance, another run another one', () => {
  const draw = (seed: number): number[] => {
    const chance = new Chance(seed);
    return Array.from({ length: 5 }, chance.next);
  };
  expect(draw(seedOf(1, 1))).toEqual(draw(seedOf(1, 1)));
  expect(draw(seedOf(1, 1))).not.toEqual(draw(seedOf(1, 2)));
  const plan = haPlans({ kills: 5, stops: 5, restarts: 5 }, 6, new Chance(1));
  expect(plan.map(({ length }) => length)).toEqual([6, 6, 5]);
  expect(plan.flat().filter((fault) => fault === 'SIGSTOP').length).toBe(5);
});
