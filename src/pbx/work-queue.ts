import type { Millis } from '../call/vocabulary.js';
import type { Clock } from '../clock.js';
import { asError } from '../errors.js';

/** Work that may be interrupted after each step. */
export type Steps<Result = void> = Iterator<unknown, Result>;

/**
 * For so long steps are done one behind the other, ms; then whatever else waits for the event loop has its turn. Asterisk ends the
 * connection of a listener that does not read for 100 ms.
 */
const TURN_MS: Millis = 5;
/** Of more tasks than that, all are done at once: memory is bounded. */
const MOST_WAITING = 10_000;

/** Does one thing after the other, in their order: at once where there is time for it, else in several turns of the event loop. */
export class WorkQueue {
  readonly #tasks: Steps[] = [];
  /** A step is being done. */
  #inStep = false;
  #planned = false;
  #idle: (() => void)[] = [];

  constructor(
    private readonly clock: Clock,
    /** A task was given up because of this. */
    private readonly onError: (thrown: unknown) => void,
  ) {}

  /** Something is still to be done. */
  get busy(): boolean {
    return this.#tasks.length > 0;
  }

  add(task: Steps): void {
    this.#tasks.push(task);
    if (this.#tasks.length === 1) this.#turn();
    else if (this.#tasks.length > MOST_WAITING) this.finish();
  }

  /** One thing that is not interrupted: at once, or behind what is still to be done. */
  do(what: () => void): void {
    this.add(
      (function* (): Generator<unknown, void> {
        what();
      })(),
    );
  }

  /** Does it in its turn, and resolves when nothing is left to do. @throws what the task throws. */
  async takeUp(task: Generator<unknown, void>): Promise<void> {
    let failure: unknown;
    const guarded = function* (): Generator<unknown, void> {
      try {
        yield* task;
      } catch (thrown) {
        failure = thrown;
      }
    };
    this.add(guarded());
    await this.idle();
    if (failure !== undefined) throw asError(failure);
  }

  /** Does all that is left, however long that takes. */
  finish(): void {
    this.#work(Infinity);
  }

  /** Resolves when nothing is left to do. */
  async idle(): Promise<void> {
    if (!this.busy) return;
    await new Promise<void>((resolve) => {
      this.#idle.push(resolve);
    });
  }

  #turn(): void {
    this.#work(this.clock.monotonic() + TURN_MS);
    if (!this.busy || this.#planned || this.#inStep) return;
    this.#planned = true;
    setImmediate(() => {
      this.#planned = false;
      this.#turn();
    });
  }

  #work(until: Millis): void {
    if (this.#inStep) return;
    for (let task = this.#tasks[0]; task !== undefined; task = this.#tasks[0]) {
      if (this.#isDone(task)) this.#tasks.shift();
      if (this.clock.monotonic() >= until) break;
    }
    if (this.busy) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Does its next step. */
  #isDone(task: Steps): boolean {
    this.#inStep = true;
    try {
      return task.next().done === true;
    } catch (thrown) {
      this.onError(thrown);
      return true;
    } finally {
      this.#inStep = false;
    }
  }
}
