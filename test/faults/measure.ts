import type { Bridge } from './bridge.js';

const EVERY_MS = 250;
const LOOK_MS = 2_000;
const GAUGE = /^event_loop_stall_seconds_max(?:\{[^}]*\})? ([0-9.e+-]+)$/m;

/**
 * Reads the longest stall of a bridge's event loop again and again: the gauge begins anew with each reading, so a killed process
 * loses no more than its last quarter of a second.
 */
export class StallMeter {
  #longest: number | undefined;
  #longestAge = 0;
  #timer: NodeJS.Timeout | undefined;
  #paused = false;

  constructor(private readonly bridge: Bridge) {}

  /** ms; undefined: this program does not measure it. */
  get longest(): number | undefined {
    return this.#longest;
  }
  /** How old the process was when it was read, ms. */
  get longestAge(): number {
    return this.#longestAge;
  }

  start(): void {
    this.#timer = setTimeout(() => {
      void this.read().finally(() => {
        if (this.#timer !== undefined) this.start();
      });
    }, EVERY_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** A process that is stopped from outside is not measured; what it measured meanwhile is thrown away on going on. */
  async pausedWhile<T>(task: () => Promise<T>): Promise<T> {
    this.#paused = true;
    try {
      return await task();
    } finally {
      await this.bridge.get('/metrics', LOOK_MS);
      this.#paused = false;
    }
  }

  async read(): Promise<void> {
    if (!this.bridge.running || this.#isPaused()) return;
    const seen = await this.bridge.get('/metrics', LOOK_MS);
    const seconds = GAUGE.exec(seen?.body ?? '')?.[1];
    if (seconds === undefined || this.#isPaused()) return;
    const ms = Number(seconds) * 1000;
    if (this.#longest !== undefined && ms <= this.#longest) return;
    this.#longest = ms;
    this.#longestAge = this.bridge.age;
  }

  /** A method, for it may have changed while the answer was awaited. */
  #isPaused(): boolean {
    return this.#paused;
  }
}
