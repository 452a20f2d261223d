import type { Call } from './call.js';
import type { Millis } from './vocabulary.js';

/** Calls of which nothing was heard since the PBX was lost, and when that was. */
export class Unheard {
  /** The longest unheard first. */
  readonly #since = new Map<Call, Millis>();

  get size(): number {
    return this.#since.size;
  }
  add(call: Call, now: Millis): void {
    if (!this.#since.has(call)) this.#since.set(call, now);
  }
  delete(call: Call): void {
    this.#since.delete(call);
  }
  clear(): void {
    this.#since.clear();
  }
  /** When the first of them is to be closed; Infinity: there is none. */
  firstDue(maxSilence: Millis): Millis {
    const [since = Infinity] = this.#since.values();
    return since + maxSilence;
  }
  /** Those that are to be closed by now. */
  *due(now: Millis, maxSilence: Millis): Generator<Call> {
    for (const [call, since] of this.#since) {
      if (now - since < maxSilence) return;
      yield call;
    }
  }
}
