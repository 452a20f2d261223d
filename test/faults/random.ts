/** Chance that can be had again: the same seed gives the same sequence. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 ≤ x < 1 (mulberry32). */
  readonly next = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };

  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  one<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.next() * items.length)];
    if (item === undefined) throw new Error('nothing to choose from');
    return item;
  }

  /** One of these, by their weights. */
  weighted<T>(items: readonly (readonly [item: T, weight: number])[]): T {
    const sum = items.reduce((total, [, weight]) => total + weight, 0);
    let left = this.next() * sum;
    for (const [item, weight] of items) {
      left -= weight;
      if (left < 0) return item;
    }
    return this.one(items)[0];
  }

  /** A pause until something that happens every `mean` ms on average, but never more than four times as long. */
  waitFor(mean: number): number {
    return Math.min(4 * mean, -Math.log(1 - this.next()) * mean);
  }
}

/** A seed of its own for each run. */
export const seedOf = (seed: number, run: number): number =>
  (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) + Math.imul(run, 0xc2b2ae35)) >>> 0;
