import type { Call } from './call.js';
import type { Teller } from './teller.js';
import type { Millis } from './vocabulary.js';
import { FAILOVER_WINDOW } from './windows.js';

/** When something of it is to be told, at the latest. */
const tellAt = (call: Call): Millis | undefined => call.announceAt ?? call.groupAt;

/** Knows when each call is to be told, and tells it then. */
export class Announcer {
  /** Calls that wait for a time. */
  readonly #waiting = new Set<Call>();

  constructor(private readonly teller: Teller) {}

  get size(): number {
    return this.#waiting.size;
  }

  /** The call waits for one of its times. */
  expect(call: Call): void {
    if (tellAt(call) !== undefined || call.closeAt !== undefined) this.#waiting.add(call);
  }
  forget(call: Call): void {
    this.#waiting.delete(call);
  }

  /** Calls that are to be told, or are over, by now. */
  due(now: Millis): readonly Call[] {
    return [...this.#waiting].filter((call) => Math.min(call.closeAt ?? Infinity, tellAt(call) ?? Infinity) <= now);
  }
  /** When the first one is due; Infinity: none is. */
  next(): Millis {
    let next = Infinity;
    for (const call of this.#waiting) next = Math.min(next, call.closeAt ?? Infinity, tellAt(call) ?? Infinity);
    return next;
  }

  /** newCall when it is due, and whatever may follow it. */
  tell(call: Call, now: Millis): void {
    this.announce(call, now, false);
    this.teller.answer(call);
  }

  /** newCall, when it is due. */
  announce(call: Call, now: Millis, over: boolean): void {
    const due = over || call.counterpart !== undefined || call.announceAt === undefined || call.announceAt <= now;
    if (!due) return;
    if (!over && call.identityAt !== undefined && call.identityAt > now) {
      // A number that may turn out to be withheld cannot be taken back.
      call.announceAt = call.identityAt;
      return;
    }
    call.announceAt = undefined;
    const groupKnown = (call.groupAt ?? now) <= now;
    if (groupKnown && call.closeAt === undefined) this.#waiting.delete(call);
    const reached = call.agents.size > 0 && (groupKnown || call.answered);
    // What the gate was told of agents is all that there is to decide by.
    this.teller.newCall(call, over || reached || call.gated);
  }

  /** Outbound calls that were looking for a way out when the bridge ended: all legs are known now, so the ordinary window counts. */
  allIsKnown(now: Millis): void {
    for (const call of this.#waiting) {
      if (call.closeAt !== undefined) call.closeAt = Math.min(call.closeAt, now + FAILOVER_WINDOW);
    }
  }
}
