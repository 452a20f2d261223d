import type { Clock } from '../../../src/clock.js';

/** A clock that a test turns by hand. */
export class HandClock implements Clock {
  #now = 0;
  #tasks: { readonly due: number; readonly run: () => void }[] = [];

  monotonic(): number {
    return this.#now;
  }

  wall(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const task = { due: this.#now + ms, run };
    this.#tasks.push(task);
    return () => {
      this.#tasks = this.#tasks.filter((other) => other !== task);
    };
  }

  /** Timers that have not run. */
  get waiting(): number {
    return this.#tasks.length;
  }

  /** Lets time pass, and everything happen that falls due on the way, in its order. */
  turn(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const next = this.#tasks.filter(({ due }) => due <= until).sort((a, b) => a.due - b.due)[0];
      if (next === undefined) break;
      this.#tasks = this.#tasks.filter((task) => task !== next);
      this.#now = Math.max(this.#now, next.due);
      next.run();
    }
    this.#now = until;
  }
}
