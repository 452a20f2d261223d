import type { Logger } from 'pino';
import type { Worker } from 'node:worker_threads';
import { backoff } from '../backoff.js';
import type { Millis } from '../call/vocabulary.js';
import { inTime, type Clock } from '../clock.js';
import { PermanentError, RetriableError } from '../errors.js';
import type { FromWorker, Input, OperationName, Output, Request, WorkerEvent, WorkerSettings } from './protocol.js';
import type { StoreMetrics } from './settings.js';
import { spawnWorker } from './spawn-worker.js';

export interface WorkerLinkOptions {
  readonly settings: WorkerSettings;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics: StoreMetrics;
  /** How long it may stay silent while something is asked of it. */
  readonly stuck: Millis;
  readonly onEvent: (event: WorkerEvent) => void;
}

interface Waiter {
  readonly resolve: (output: never) => void;
  readonly reject: (error: Error) => void;
}

/** A worker that dies young is not started again at once, ms. */
const RESTART = { first: 50, max: 5_000 };
const TERMINATE_MS = 1_000;
/** Questions under way at most: the callers are few, and each asks one thing at a time. */
const MOST_QUESTIONS = 1_000;

/**
 * The main thread's end of the worker. A worker that ends, for whatever reason, is replaced with the next question; what was asked of the
 * old one rejects with a RetriableError `ZPB_STORE_WORKER`.
 */
export class WorkerLink {
  #worker: Worker | undefined;
  readonly #waiting = new Map<number, Waiter>();
  #lastId = 0;
  #deaths = 0;
  #notBefore = -Infinity;
  #cancelWatch: () => void = () => undefined;
  #closed = false;

  constructor(private readonly options: WorkerLinkOptions) {}

  /** Settles when the worker has answered or ended. */
  call<Name extends OperationName>(name: Name, input: Input<Name>): Promise<Output<Name>> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.size >= MOST_QUESTIONS) {
        throw new RetriableError('ZPB_STORE_UNAVAILABLE', 'The store is asked more than it can answer');
      }
      const worker = this.#living();
      const id = (this.#lastId += 1);
      this.#waiting.set(id, { resolve, reject });
      worker.postMessage({ id, name, input } satisfies Request);
      if (this.#waiting.size === 1) this.#watch();
    });
  }

  /** Ends the worker: in order if it answers within `deadline` ms. */
  async close(deadline: Millis): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined || this.#closed) {
      this.#closed = true;
      return;
    }
    const closed = this.call('close', undefined).catch(() => undefined);
    this.#closed = true;
    await inTime(this.options.clock, deadline, closed);
    this.#cancelWatch();
    // A thread that waits for the disk ends only when that answers; nobody shall wait for that.
    await inTime(this.options.clock, TERMINATE_MS, worker.terminate());
    // Nor for its answers.
    this.#died(worker, 'closed');
  }

  #living(): Worker {
    if (this.#worker !== undefined && !this.#closed) return this.#worker;
    if (this.#closed) throw new PermanentError('ZPB_OUTBOX_CLOSED', 'The store is closed');
    if (this.options.clock.monotonic() < this.#notBefore) throw dead();
    const worker = spawnWorker(this.options.settings);
    worker.on('message', (message: FromWorker) => {
      this.#take(message);
    });
    worker.on('messageerror', (error) => {
      this.#died(worker, error.message);
    });
    worker.on('error', (error: Error) => {
      this.#died(worker, error.message);
    });
    worker.on('exit', (status) => {
      this.#died(worker, `it ended with status ${status}`);
    });
    this.#worker = worker;
    return worker;
  }

  #take(message: FromWorker): void {
    this.#watch();
    if ('event' in message) {
      this.options.onEvent(message.event);
      return;
    }
    const waiter = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (this.#waiting.size === 0) this.#cancelWatch();
    if ('output' in message) {
      this.#deaths = 0;
      waiter?.resolve(message.output as never);
      return;
    }
    const { code, message: text, retriable } = message.failure;
    waiter?.reject(retriable ? new RetriableError(code, text) : new PermanentError(code, text));
  }

  #died(worker: Worker, reason: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#cancelWatch();
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    if (!this.#closed) {
      this.#deaths += 1;
      const pause = this.#deaths === 1 ? 0 : backoff(RESTART, this.#deaths, this.options.random());
      this.#notBefore = this.options.clock.monotonic() + pause;
      this.options.metrics.count('store_worker_restarts_total');
      this.options.log.error({ reason }, `the store's worker thread ended unforeseen (${reason}); it is started again`);
    }
    for (const { reject } of waiting) reject(dead());
  }

  /** Anew with everything it says. */
  #watch(): void {
    this.#cancelWatch();
    if (this.#waiting.size === 0) return;
    const worker = this.#worker;
    const { clock, stuck, log } = this.options;
    this.#cancelWatch = clock.after(stuck, () => {
      log.error(`the store's worker thread has said nothing for ${Math.round(stuck / 1000)} s; it is asked to end`);
      // A thread that waits for the disk ends only when that answers; until then nothing else may write to the file.
      void worker?.terminate();
    });
  }
}

const dead = (): RetriableError =>
  new RetriableError('ZPB_STORE_WORKER', "The store's worker thread has ended and is started again");
