import type { BridgeError } from '../errors.js';

/** Waits between attempts: doubling, with jitter, from `first` to `longest` milliseconds. */
export interface BackoffRange {
  readonly first: number;
  readonly longest: number;
}

/** A network that fails comes back in seconds; a password that is wrong stays wrong until a person changes it. */
export const RETRIABLE: BackoffRange = { first: 500, longest: 30_000 };
export const PERMANENT: BackoffRange = { first: 60_000, longest: 600_000 };

/**
 * The wait before attempt number `failures + 1`, ms: between half and the whole of the doubled time, so that many bridges do
 * not come back at one moment.
 * @param random a number from 0 up to 1.
 */
export function backoff(range: BackoffRange, failures: number, random: number): number {
  const whole = Math.min(range.longest, range.first * 2 ** Math.min(failures - 1, 20));
  return Math.round(whole / 2 + (whole / 2) * random);
}

export const rangeFor = (error: BridgeError): BackoffRange => (error.retriable ? RETRIABLE : PERMANENT);
