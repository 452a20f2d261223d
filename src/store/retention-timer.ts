import type { Logger } from 'pino';
import type { Millis } from '../call/vocabulary.js';
import type { Clock } from '../clock.js';
import { asError } from '../errors.js';
import type { RetentionTerms } from './retention.js';

export interface RetentionOptions {
  readonly clock: Clock;
  readonly keep: Millis;
  readonly first: Millis;
  readonly every: Millis;
  /** Removed in one go. */
  readonly rows: number;
  /** Answers how many were removed. */
  readonly clean: (terms: RetentionTerms) => Promise<number>;
  readonly log: Logger;
}

/** Dead and unknown posts wait for a person. */
const TROUBLED_FACTOR = 4;
/** Ids of calls that are over are needed for a day, however little is to be kept. */
const LEAST_MS = 24 * 3_600_000;
/** Between two goes: others want the database too. */
const PAUSE_MS = 50;

/** Removes what is done with long ago, a little at a time. */
export class Retention {
  #cancel: () => void = () => undefined;
  #stopped = false;

  constructor(private readonly options: RetentionOptions) {}

  start(): void {
    this.#plan(this.options.first);
  }
  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #plan(ms: Millis): void {
    if (this.#stopped) return;
    this.#cancel = this.options.clock.after(ms, () => {
      void this.#clean();
    });
  }

  async #clean(): Promise<void> {
    const { clock, keep, rows, every, clean, log } = this.options;
    const now = clock.wall();
    let removed = 0;
    try {
      removed = await clean({
        done: now - Math.max(keep, LEAST_MS),
        troubled: now - TROUBLED_FACTOR * Math.max(keep, LEAST_MS),
        limit: rows,
      });
    } catch (thrown) {
      log.debug({ error: asError(thrown) }, 'store: old rows could not be removed now');
    }
    this.#plan(removed >= rows ? PAUSE_MS : every);
  }
}
