import type { Clock } from '../../src/clock.js';

interface Task {
  readonly at: number;
  readonly run: () => void;
}

/** Time that stands still until the test moves it. */
export class ManualClock implements Clock {
  #now = 0;
  readonly #started: number;
  #tasks: Task[] = [];

  constructor(startedAt = 1_800_000_000_000) {
    this.#started = startedAt;
  }
  monotonic(): number {
    return this.#now;
  }
  wall(): number {
    return this.#started + this.#now;
  }
  after(ms: number, run: () => void): () => void {
    const task = { at: this.#now + ms, run };
    this.#tasks.push(task);
    return () => {
      this.#tasks = this.#tasks.filter((other) => other !== task);
    };
  }
  /** Timers not yet due: what has an owner that must cancel it. */
  get pending(): number {
    return this.#tasks.length;
  }

  /** The same at once: what follows from the timers' tasks by promises comes later. */
  turn(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#tasks.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#tasks = this.#tasks.filter((task) => task !== next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
    this.#now = end;
  }

  /** Moves to `ms` from now, running what falls due on the way, each with all that follows from it. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    while (await this.#step(end));
    this.#now = end;
    await settle();
  }

  /** Jumps from timer to timer until `done`, for `limit` of virtual time at most. */
  async until(done: () => boolean, limit = 7 * 24 * 3_600_000): Promise<void> {
    const end = this.#now + limit;
    await settle();
    while (!done()) {
      if (!(await this.#step(end))) throw new Error(`nothing more happens by ${this.#now} ms, and it is not done`);
    }
  }

  async #step(end: number): Promise<boolean> {
    const next = this.#tasks.reduce<Task | undefined>((a, b) => (a === undefined || b.at < a.at ? b : a), undefined);
    if (next === undefined || next.at > end) return false;
    this.#tasks = this.#tasks.filter((task) => task !== next);
    this.#now = Math.max(this.#now, next.at);
    next.run();
    await settle();
    return true;
  }
}

/** Until no promise has anything left to do. */
export const settle = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });
