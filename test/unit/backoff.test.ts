import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { backoff } from '../../src/backoff.js';

test('doubles up to the bound, half of it by chance', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7].map((failures) => backoff({ first: 500, max: 30_000 }, failures, 0.999999));
  expect(waits.map(Math.round)).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000]);
  expect(backoff({ first: 500, max: 30_000 }, 1, 0)).toBe(250);
});

test('stays in bounds for any number of failures', () => {
  const random = fc.double({ min: 0, max: 0.999, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_000_000 }), random, (failures, chance) => {
      const wait = backoff({ first: 500, max: 30_000 }, failures, chance);
      expect(wait).toBeGreaterThanOrEqual(250);
      expect(wait).toBeLessThanOrEqual(30_000);
    }),
  );
});
