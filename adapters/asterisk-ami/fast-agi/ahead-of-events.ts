import type { LegEvent, LegId, Millis } from '../../../src/call/vocabulary.js';
import type { Clock } from '../../../src/clock.js';

/** A list of all channels is whole within this, or given up. */
const KEEP_MS: Millis = 15_000;
const MOST = 1_000;

/**
 * Calls that asked at the gate before the first event of them has come: while the manager interface hands out a list of all
 * channels, events wait behind it, and the list does not hold what is younger than the question for it. Such a call is not over.
 */
export class AheadOfEvents {
  /** When each has asked, monotonic ms; the oldest first. */
  readonly #asked = new Map<LegId, Millis>();

  constructor(private readonly clock: Clock) {}

  get size(): number {
    return this.#asked.size;
  }

  asks(leg: LegId): void {
    this.#asked.delete(leg);
    this.#asked.set(leg, this.clock.monotonic());
    for (const oldest of this.#asked.keys()) {
      if (this.#asked.size <= MOST) break;
      this.#asked.delete(oldest);
    }
  }

  /** What is heard of the PBX; a list of its legs gets those that it cannot hold. */
  complete(batch: readonly LegEvent[]): readonly LegEvent[] {
    if (this.#asked.size === 0) return batch;
    return batch.map((event) => {
      if (event.type === 'snapshot') return { ...event, legs: [...new Set([...event.legs, ...this.#young()])] };
      if ('leg' in event) this.#asked.delete(event.leg);
      return event;
    });
  }

  #young(): readonly LegId[] {
    const now = this.clock.monotonic();
    for (const [leg, at] of this.#asked) if (now - at > KEEP_MS) this.#asked.delete(leg);
    return [...this.#asked.keys()];
  }
}
