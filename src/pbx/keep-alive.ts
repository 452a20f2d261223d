import type { Clock } from '../clock.js';

export interface KeepAliveOptions {
  readonly clock: Clock;
  /** From one Ping to the next, ms. */
  readonly every: number;
  /** How long after a Ping something must have come, ms. */
  readonly timeout: number;
  /** Sends a Ping. */
  readonly ping: () => void;
  /** Nothing came. Called once, and nothing after it. */
  readonly onSilent: () => void;
}

/**
 * A loop that was blocked finds its timers due before it has read what arrived meanwhile, so a far end that seems silent is
 * given one more turn of the loop, ms.
 */
const SECOND_LOOK_MS = 250;

/**
 * Notices a connection that only this end believes in (a machine that lost its power, a firewall that forgot): it asks for a
 * sign of life and counts every byte as one. A PBX that sends events but is too busy to answer Pings is alive; a dead
 * connection sends nothing. Notices it within every + timeout + 250 ms.
 */
export class KeepAlive {
  readonly #options: KeepAliveOptions;
  #heard = false;
  #stopped = false;
  #cancel: () => void;

  constructor(options: KeepAliveOptions) {
    this.#options = options;
    this.#cancel = options.clock.after(options.every, this.#ask);
  }

  /** Something came, whatever it is. */
  heard(): void {
    this.#heard = true;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  readonly #ask = (): void => {
    const { clock, timeout, ping } = this.#options;
    this.#heard = false;
    this.#cancel = clock.after(timeout, this.#look);
    ping();
  };

  readonly #look = (): void => {
    if (this.#heard) this.#askLater();
    else this.#cancel = this.#options.clock.after(SECOND_LOOK_MS, this.#lookAgain);
  };

  readonly #lookAgain = (): void => {
    if (this.#heard) {
      this.#askLater();
      return;
    }
    this.stop();
    this.#options.onSilent();
  };

  #askLater(): void {
    if (this.#stopped) return;
    this.#cancel = this.#options.clock.after(Math.max(0, this.#options.every - this.#options.timeout), this.#ask);
  }
}
