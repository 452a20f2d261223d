import type { Millis } from '../call/vocabulary.js';

interface Bucket {
  readonly left: number;
  readonly at: Millis;
}

const MINUTE = 60_000;
/** Names kept; the one that was used longest ago is forgotten first. */
const MOST_NAMES = 10_000;

/** So many in a minute for each name, at once or spread. The caller brings the time. */
export class RateLimit {
  readonly #buckets = new Map<string, Bucket>();

  constructor(private readonly perMinute: number) {}

  /** Takes one; answers 0, or, when there is none, how long it takes until there is one, ms. */
  take(name: string, now: Millis): Millis {
    const bucket = this.#buckets.get(name);
    const each = MINUTE / this.perMinute;
    const left = bucket === undefined ? this.perMinute : this.#refilled(bucket, now);
    if (left < 1) return Math.ceil((1 - left) * each);
    this.#buckets.delete(name);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size >= MOST_NAMES && oldest !== undefined) this.#buckets.delete(oldest);
    this.#buckets.set(name, { left: left - 1, at: now });
    return 0;
  }

  #refilled({ left, at }: Bucket, now: Millis): number {
    return Math.min(this.perMinute, left + ((now - at) * this.perMinute) / MINUTE);
  }
}
