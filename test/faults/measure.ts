import { readFileSync } from 'node:fs';
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
  #longestWait = 0;
  #waited = 0;
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

  /** How long the process waited for a processor meanwhile, ms: a stall that is no longer is the machine's, not the program's. */
  get longestWait(): number {
    return this.#longestWait;
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
    const before = this.#waited;
    this.#waited = waitedFor(this.bridge.pid);
    const ms = Number(seconds) * 1000;
    if (this.#longest !== undefined && ms <= this.#longest) return;
    this.#longest = ms;
    this.#longestAge = this.bridge.age;
    // Another process than that of the reading before began to wait from nothing.
    this.#longestWait = this.#waited < before ? this.#waited : this.#waited - before;
  }

  /** A method, for it may have changed while the answer was awaited. */
  #isPaused(): boolean {
    return this.#paused;
  }
}

/** How long the main thread of a process has waited for a processor so far, ms; 0 where the machine does not tell. */
function waitedFor(pid: number | undefined): number {
  try {
    const [, waited] = readFileSync(`/proc/${String(pid)}/task/${String(pid)}/schedstat`, 'utf8').split(' ');
    return Number(waited) / 1e6;
  } catch {
    return 0;
  }
}
