import type { Millis } from '../call/vocabulary.js';

export interface BackoffSettings {
  readonly first: Millis;
  readonly max: Millis;
}

/**
 * The wait before the next try after `failures` (1, 2, …) of them in a row: doubling from `first` up to `max`, half of it
 * by chance, so that many bridges (or calls) that failed together do not come back together. `random` gives [0, 1).
 */
export function backoff({ first, max }: BackoffSettings, failures: number, random: () => number): Millis {
  // 2^30 × anything sensible is beyond every max; more would only overflow.
  const whole = Math.min(max, first * 2 ** Math.min(Math.max(failures - 1, 0), 30));
  return whole / 2 + (whole / 2) * random();
}
