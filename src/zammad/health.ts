/**
 * What is believed about one Zammad, and what that allows. While it is down or held, one request at a time tries it
 * (a *trial*), with a growing wait between; when it is back, the number of requests side by side grows with each success.
 */
import type { Logger } from 'pino';
import { backoff } from '../backoff.js';
import type { Clock } from '../clock.js';
import type { Millis, ZammadName } from '../call/vocabulary.js';
import type { DeliveryMetrics } from './metrics.js';
import type { DeliverySettings } from './settings.js';

export type ZammadState = 'ok' | 'down' | 'held';

/** `unreachable`: requests surely do not arrive. `silent`: they may arrive, but no answer comes. */
export type Trouble = 'unreachable' | 'silent' | 'held';

export interface HealthContext {
  readonly name: ZammadName;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics: DeliveryMetrics;
  readonly settings: DeliverySettings;
}

const GAUGE: Readonly<Record<ZammadState, number>> = { ok: 0, down: 1, held: 2 };

export class Health {
  readonly #context: HealthContext;
  #trouble: Trouble | undefined;
  #reason: string | undefined;
  #failures = 0;
  #nextTrial: Millis = 0;
  #since: Millis = 0;
  #ramp: number;
  #known = false;

  constructor(context: HealthContext) {
    this.#context = context;
    this.#ramp = context.settings.parallel;
  }

  get state(): ZammadState {
    if (this.#trouble === undefined) return 'ok';
    return this.#trouble === 'held' ? 'held' : 'down';
  }
  /** False until the first request has come out. */
  get known(): boolean {
    return this.#known;
  }
  get trouble(): Trouble | undefined {
    return this.#trouble;
  }
  /** In words, for people; undefined when all is well. */
  get reason(): string | undefined {
    return this.#reason;
  }
  /** Requests that may be under way side by side; 0 unless ok. */
  get limit(): number {
    return this.#trouble === undefined ? this.#ramp : 0;
  }
  /** Milliseconds until the next trial may start; 0 = now. */
  untilTrial(): Millis {
    return Math.max(0, this.#nextTrial - this.#context.clock.monotonic());
  }

  /** Zammad answered as it does in ordinary life. */
  good(): void {
    const { name, clock, log, settings } = this.#context;
    if (!this.#known && this.#trouble === undefined) log.info({ zammad: name }, `Zammad ${name} takes posts`);
    this.#known = true;
    if (this.#trouble === undefined) {
      this.#ramp = Math.min(settings.parallel, this.#ramp + 1);
      return;
    }
    const seconds = Math.round((clock.monotonic() - this.#since) / 1000);
    log.info({ zammad: name, seconds }, `Zammad ${name} takes posts again after ${seconds} s`);
    this.#trouble = undefined;
    this.#reason = undefined;
    this.#failures = 0;
    this.#ramp = 1;
    this.#publish();
  }

  /** It did not. `trial`: the request was one; others that fail at the same time do not lengthen the wait. */
  bad(trouble: Trouble, reason: string, trial: boolean, retryAfter: Millis = 0): void {
    const { clock, random, settings } = this.#context;
    this.#known = true;
    const before = this.#trouble;
    if (before === undefined || (trouble === 'held') !== (before === 'held')) {
      this.#failures = 0;
      this.#since = before === undefined ? clock.monotonic() : this.#since;
      this.#say(trouble, reason);
    } else if (!trial) {
      return;
    }
    this.#trouble = trouble;
    this.#reason = reason;
    this.#failures += 1;
    const first = trouble === 'silent' && before === undefined;
    const wait = backoff(trouble === 'held' ? settings.heldBackoff : settings.backoff, this.#failures, random());
    // One unanswered request proves little: look at once, with a probe that can do no harm.
    this.#nextTrial = clock.monotonic() + (first ? 0 : Math.max(wait, retryAfter));
    this.#publish();
  }

  /** Once for each stretch of trouble, not for each request. */
  #say(trouble: Trouble, reason: string): void {
    const { name, log } = this.#context;
    if (trouble === 'held') {
      log.error({ zammad: name, reason }, `Zammad ${name} takes nothing until somebody mends this: ${reason}`);
    } else {
      log.warn({ zammad: name, reason }, `Zammad ${name} is down; posts wait in the outbox: ${reason}`);
    }
  }

  #publish(): void {
    const { name, metrics } = this.#context;
    metrics.gauge('zammad_state', GAUGE[this.state], { zammad: name });
  }
}
