import type { Logger } from 'pino';
import type { Clock } from '../clock.js';
import type { StoreMetrics } from './settings.js';
import type { StoreKind, StoreState } from './store.js';

type Trouble = Exclude<StoreState['state'], 'ok'>;

const NUMBERS: Readonly<Record<StoreState['state'], number>> = { ok: 0, spilling: 1, memory: 2, gone: 3 };

const CONSEQUENCE: Readonly<Record<Trouble, string>> = {
  spilling: 'the database takes no writes; they go to the emergency journal beside it, and nothing is lost by a crash',
  memory: 'nothing on the disk takes the writes; what is in memory only would be lost by a crash',
  gone: 'PostgreSQL cannot be used; calls are heard and kept in memory, and nothing new is sent until it can be used again',
};

/** How well the store does. Every change is said once in the log, and stands in the metric. */
export class Condition {
  #state: StoreState = { state: 'ok' };

  constructor(
    private readonly options: {
      readonly kind: StoreKind;
      readonly clock: Clock;
      readonly log: Logger;
      readonly metrics: StoreMetrics;
    },
  ) {
    this.#show();
  }

  get state(): StoreState {
    return this.#state;
  }

  trouble(state: Trouble, reason: string): void {
    const { clock, log } = this.options;
    const before = this.#state;
    if (before.state === state) {
      if (before.reason !== reason) this.#state = { ...before, reason };
      return;
    }
    this.#state = { state, reason, since: before.state === 'ok' ? clock.monotonic() : before.since };
    this.#show();
    log.error({ store: state, reason }, `store: ${CONSEQUENCE[state]} (${reason})`);
  }

  well(): void {
    const before = this.#state;
    if (before.state === 'ok') return;
    const seconds = Math.round((this.options.clock.monotonic() - before.since) / 1000);
    this.#state = { state: 'ok' };
    this.#show();
    this.options.log.info({ store: 'ok' }, `store: well again after ${seconds} s`);
  }

  #show(): void {
    this.options.metrics.gauge('store_state', NUMBERS[this.#state.state], { kind: this.options.kind });
  }
}
