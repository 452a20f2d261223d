/** How long to wait between tries of what has failed. */
export interface BackoffRange {
  /** ms */
  readonly first: number;
  /** ms */
  readonly max: number;
}

/**
 * The wait before the next try after `failures` (1, 2, …) of them in a row: doubling from `first` up to `max`, half of it
 * by chance, so that many bridges (or calls) that failed together do not come back together.
 * Whole ms.
 * @param random a number from 0 up to 1.
 */
export function backoff({ first, max }: BackoffRange, failures: number, random: number): number {
  // 2^30 × anything sensible is beyond every max; more would only overflow.
  const whole = Math.min(max, first * 2 ** Math.min(Math.max(failures - 1, 0), 30));
  return Math.round(whole / 2 + (whole / 2) * random);
}
