/** The outbox without a disk: what is in it is lost with the process. For the demo, tests and runs without a store. */
import { PermanentError, RetriableError } from '../errors.js';
import type { DeliveryState, NewOutboxItem, Outbox, OutboxItem } from './outbox.js';

export interface MemoryOutboxSettings {
  /** Items held at most, the troubled ones included. */
  readonly limit: number;
}

const DEFAULT_MEMORY_OUTBOX_LIMIT = 100_000;

/**
 * Delivered items are dropped at once. When it is full, the oldest dead or unknown ones make room; when there are none,
 * `append` rejects with a RetriableError `ZPB_OUTBOX_FULL`, and the caller counts what it could not append.
 */
export function createMemoryOutbox({ limit }: MemoryOutboxSettings = { limit: DEFAULT_MEMORY_OUTBOX_LIMIT }): Outbox {
  return new MemoryOutbox(limit);
}

class MemoryOutbox implements Outbox {
  readonly #limit: number;
  /** By seq, in order of commitment: waiting and sending. */
  readonly #open = new Map<number, OutboxItem>();
  /** By seq, in order of trouble: dead and unknown. */
  readonly #troubled = new Map<number, OutboxItem>();
  #lastSeq = 0;
  #closed = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  append(items: readonly NewOutboxItem[]): Promise<readonly OutboxItem[]> {
    return this.#run(() => {
      if (this.#open.size + items.length > this.#limit) {
        throw new RetriableError(
          'ZPB_OUTBOX_FULL',
          `The outbox in memory is full (${this.#limit} posts not yet delivered): mend the Zammad that does not take them`,
        );
      }
      const appended = items.map((item): OutboxItem => {
        this.#lastSeq += 1;
        return Object.freeze({ ...item, seq: this.#lastSeq, state: 'waiting', attempts: 0 });
      });
      for (const item of appended) this.#open.set(item.seq, item);
      this.#makeRoom();
      return appended;
    });
  }

  attempt(seq: number): Promise<void> {
    return this.#run(() => {
      const item = this.#known(seq);
      this.#open.set(seq, Object.freeze({ ...item, state: 'sending', attempts: item.attempts + 1 }));
    });
  }

  settle(seq: number, state: Exclude<DeliveryState, 'sending'>, reason?: string): Promise<void> {
    return this.#run(() => {
      const settled: OutboxItem = Object.freeze({ ...this.#known(seq), state, reason });
      if (state === 'waiting') {
        this.#open.set(seq, settled);
        return;
      }
      this.#open.delete(seq);
      if (state === 'delivered') return;
      this.#troubled.set(seq, settled);
      this.#makeRoom();
    });
  }

  open(): Promise<readonly OutboxItem[]> {
    return this.#run(() => [...this.#open.values()]);
  }

  troubled(limit: number): Promise<readonly OutboxItem[]> {
    return this.#run(() => [...this.#troubled.values()].sort((a, b) => b.seq - a.seq).slice(0, limit));
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#open.clear();
    this.#troubled.clear();
    return Promise.resolve();
  }

  #known(seq: number): OutboxItem {
    const item = this.#open.get(seq);
    if (item !== undefined) return item;
    throw new PermanentError('ZPB_OUTBOX_NO_SUCH_POST', `The outbox has no open post ${seq}: it was settled before`);
  }

  #makeRoom(): void {
    for (const seq of this.#troubled.keys()) {
      if (this.#open.size + this.#troubled.size <= this.#limit) return;
      this.#troubled.delete(seq);
    }
  }

  /** What the interface promises to reject with is thrown in `task`. */
  #run<T>(task: () => T): Promise<T> {
    return new Promise((resolve) => {
      if (this.#closed)
        throw new PermanentError('ZPB_OUTBOX_CLOSED', 'The outbox is closed: nothing can be written any more');
      resolve(task());
    });
  }
}
