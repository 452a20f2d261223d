/** The right to send for one PBX, as the delivery side keeps to it: nothing may be sent that another bridge might send too. */
import { setMaxListeners } from 'node:events';
import type { Clock } from '../clock.js';
import type { Millis, PbxName } from '../call/vocabulary.js';
import { linked } from './linked-signals.js';
import type { LinkedSignal } from './linked-signals.js';

/** What is needed of a lead. The store's `Lead` is one. */
export interface LeadView {
  readonly pbx: PbxName;
  /** Grows with every change of hands; the upper part of the `seq` of what was committed under it. */
  readonly epoch: number;
  /** Monotonic: from then on nothing may be under way, unless it has grown meanwhile. */
  readonly until: Millis;
  /** Aborted when another bridge leads, or the lead was let go. */
  readonly ended: AbortSignal;
}

/** A request begins only if the lead lasts for so much longer: it needs a moment to get out of this machine. */
const LEAST_LEFT: Millis = 1000;

export class Fence {
  readonly #lead: LeadView;
  readonly #clock: Clock;
  readonly #gone = new AbortController();

  constructor(lead: LeadView, clock: Clock) {
    this.#lead = lead;
    this.#clock = clock;
    // Every request under way listens to it; Node would warn of more than ten.
    setMaxListeners(0, this.#gone.signal);
    if (lead.ended.aborted) this.close();
    else lead.ended.addEventListener('abort', this.#close, { once: true });
  }

  get epoch(): number {
    return this.#lead.epoch;
  }
  /** A request may begin at this very moment. Looks at the clock: a process that was stopped for a while is told the truth. */
  get open(): boolean {
    return !this.#gone.signal.aborted && this.#lead.until - this.#clock.monotonic() > LEAST_LEFT;
  }
  /** Aborted when the lead is over for good: nothing more may be sent, nor written. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** The lead is over, whoever found it out. */
  close(): void {
    this.#lead.ended.removeEventListener('abort', this.#close);
    this.#gone.abort();
  }

  /** For one request: aborted with `stop`, when the lead is over, and when `until` passes without having grown. */
  guard(stop: AbortSignal): LinkedSignal {
    const cut = linked([stop, this.#gone.signal]);
    let cancel: (() => void) | undefined;
    const watch = (): void => {
      const left = this.#lead.until - this.#clock.monotonic();
      if (left <= 0) cut.abort();
      else if (Number.isFinite(left)) cancel = this.#clock.after(Math.max(1, left), watch);
    };
    watch();
    return {
      signal: cut.signal,
      abort() {
        cut.abort();
      },
      release() {
        cancel?.();
        cut.release();
      },
    };
  }

  readonly #close = (): void => {
    this.close();
  };
}
