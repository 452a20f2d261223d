import type { RejectReason } from '../call/gate.js';
import type { Millis, ZammadName } from '../call/vocabulary.js';

/** Numbers remembered. */
const LIMIT = 10_000;

/** Whom each Zammad has rejected lately: answers in its place while it does not. Off when `keep` is 0. */
export class Rejects {
  /** By Zammad and number, in order of their last reject, the oldest first. */
  readonly #last = new Map<string, { readonly reason: RejectReason; readonly at: Millis }>();

  constructor(private readonly keep: Millis) {}

  get size(): number {
    return this.#last.size;
  }

  /** Zammad has said what shall become of this number's calls: undefined = they go on. */
  learn(zammad: ZammadName, number: string, reason: RejectReason | undefined, now: Millis): void {
    const key = keyOf(zammad, number);
    this.#last.delete(key);
    if (reason === undefined || this.keep === 0) return;
    this.#last.set(key, { reason, at: now });
    for (const oldest of this.#last.keys()) {
      if (this.#last.size <= LIMIT) break;
      this.#last.delete(oldest);
    }
  }

  recall(zammad: ZammadName, number: string, now: Millis): RejectReason | undefined {
    const key = keyOf(zammad, number);
    const last = this.#last.get(key);
    if (last === undefined) return undefined;
    if (now - last.at <= this.keep) return last.reason;
    this.#last.delete(key);
    return undefined;
  }
}

const keyOf = (zammad: ZammadName, number: string): string => `${number} ${zammad}`;
