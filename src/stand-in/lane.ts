import { sleep, type Clock } from '../clock.js';

const MAX_WAITING = 1000;

/**
 * One Zammad process: posts are worked on one after another, each for `ms` (measured on real Zammad: about 30 ms).
 * With 0 a task runs at once.
 */
export class Lane {
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #signal: AbortSignal;
  #tail: Promise<void> = Promise.resolve();
  #waiting = 0;
  constructor(clock: Clock, ms: number, signal: AbortSignal) {
    this.#clock = clock;
    this.#ms = ms;
    this.#signal = signal;
  }

  get full(): boolean {
    return this.#waiting >= MAX_WAITING;
  }

  /** Runs `task` in its turn; undefined = closed before that. */
  async run<Result>(task: () => Result): Promise<Result | undefined> {
    if (this.#closed()) return undefined;
    if (this.#ms === 0) return task();
    this.#waiting += 1;
    const turn = this.#tail.then(() => sleep(this.#clock, this.#ms, this.#signal));
    this.#tail = turn;
    await turn;
    this.#waiting -= 1;
    return this.#closed() ? undefined : task();
  }

  #closed(): boolean {
    return this.#signal.aborted;
  }
}
