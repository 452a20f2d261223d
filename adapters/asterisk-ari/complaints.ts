import type { Logger } from 'pino';
import type { Millis } from '../../src/call/vocabulary.js';
import type { Clock } from '../../src/clock.js';

/** The same complaint is not logged again within this. */
const QUIET_MS = 60_000;

/** Warnings that who floods us must not flood the log with: each kind is said now and then. */
export class Complaints<Kind extends string> {
  /** When each kind was logged, monotonic ms. */
  readonly #said = new Map<Kind, Millis>();

  constructor(
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  say(kind: Kind, text: string): void {
    const now = this.clock.monotonic();
    const before = this.#said.get(kind);
    if (before !== undefined && now - before < QUIET_MS) return;
    this.#said.set(kind, now);
    this.log.warn(text);
  }
}
