import { expect, test } from '@jest/globals';
import { KeepAlive } from '../../../src/pbx/keep-alive.js';
import { ManualClock } from '../../support/manual-clock.js';

function watch() {
  const clock = new ManualClock();
  const seen = { pings: [] as number[], silent: [] as number[] };
  const keepAlive = new KeepAlive({
    clock,
    every: 10_000,
    timeout: 5_000,
    ping: () => seen.pings.push(clock.monotonic()),
    onSilent: () => seen.silent.push(clock.monotonic()),
  });
  return { clock, seen, keepAlive };
}

test('asks every 10 s as long as something comes', () => {
  const { clock, seen, keepAlive } = watch();
  for (let second = 0; second < 60; second += 1) {
    clock.turn(1_000);
    keepAlive.heard();
  }
  expect(seen).toEqual({ pings: [10_000, 20_000, 30_000, 40_000, 50_000, 60_000], silent: [] });
});

test('an end that says nothing is noticed within 20 s of its last word, whenever that was', () => {
  for (let last = 0; last <= 30_000; last += 500) {
    const { clock, seen, keepAlive } = watch();
    for (let now = 0; now < last; now += 500) {
      keepAlive.heard();
      clock.turn(500);
    }
    keepAlive.heard();
    clock.turn(60_000);
    expect(seen.silent).toHaveLength(1);
    expect(seen.silent[0]! - last).toBeLessThanOrEqual(20_000);
    expect(clock.pending).toBe(0);
  }
});

test('what comes while the timers were late still counts', () => {
  const { clock, seen, keepAlive } = watch();
  clock.turn(15_000);
  keepAlive.heard();
  clock.turn(5_250);
  expect(seen).toEqual({ pings: [10_000, 20_250], silent: [] });
});

test('stopped, it asks nothing and says nothing', () => {
  for (const at of [0, 9_999, 10_000, 15_000, 15_100]) {
    const { clock, seen, keepAlive } = watch();
    clock.turn(at);
    const before = seen.pings.length;
    keepAlive.stop();
    clock.turn(60_000);
    expect(seen.pings).toHaveLength(before);
    expect(seen.silent).toEqual([]);
    expect(clock.pending).toBe(0);
  }
});
