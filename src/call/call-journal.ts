import type { Call } from './call.js';
import { recordOf } from './call-record.js';
import type { Leg, LegTable } from './leg-table.js';
import type { Outcome } from './outcome.js';
import type { CallId, LegId } from './vocabulary.js';

/** Says how each call is to be kept, whenever that has changed: once a batch, and not when nothing of it did. */
export class CallJournal {
  readonly #changed = new Set<Call>();
  /** What was said last of each call that is not over. */
  readonly #said = new Map<CallId, string>();

  constructor(
    private readonly calls: ReadonlyMap<CallId, Call>,
    private readonly legs: LegTable,
  ) {}

  get size(): number {
    return this.#changed.size + this.#said.size;
  }

  /** Something of the call may have changed. */
  mark(call: Call): void {
    this.#changed.add(call);
  }

  /** What is to be written since the last time, of the calls that `isWhole`. */
  take(isWhole: (call: Call) => boolean): readonly Outcome[] {
    const outcomes: Outcome[] = [];
    for (const call of this.#changed) {
      if (!isWhole(call)) continue;
      this.#changed.delete(call);
      const outcome = this.#outcomeOf(call);
      if (outcome !== undefined) outcomes.push(outcome);
    }
    return outcomes;
  }

  #outcomeOf(call: Call): Outcome | undefined {
    const { id: callId, root, ordinal } = call;
    if (this.calls.get(callId) !== call) {
      this.#said.delete(callId);
      const aftermath = this.#legsOf(call).map(({ id }) => id);
      return { kind: 'call', callId, root, ordinal, ...(aftermath.length > 0 && { aftermath }) };
    }
    const record = recordOf(call, this.#legsOf(call));
    const text = JSON.stringify(record);
    if (this.#said.get(callId) === text) return undefined;
    this.#said.set(callId, text);
    return { kind: 'call', callId, root, ordinal, record };
  }

  /** The living legs that have a part in it. */
  #legsOf(call: Call): readonly Leg[] {
    const ids = new Set<LegId>([call.root, ...call.customers, ...call.forwards]);
    for (const [leg, end] of call.phones) if (end === undefined) ids.add(leg);
    return [...ids].flatMap((id) => this.legs.get(id) ?? []);
  }
}
