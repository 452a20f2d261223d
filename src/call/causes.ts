import type { Cause, Direction, EndedBy } from './vocabulary.js';

/** How a leg ended. `lost`: nobody saw it; a resync found it gone. */
export interface LegEnd {
  readonly q850?: number | undefined;
  readonly by: EndedBy;
  readonly lost?: boolean;
}

/** What the cause of a call's end is found from. */
export interface EndFacts {
  readonly direction: Direction;
  /** The customer's conversation was with an outside number at last, and that party had answered. */
  readonly outside: boolean;
  /** An agent talked with the customer. */
  readonly answered: boolean;
  /** This bridge ended it, for this reason. */
  readonly rejected?: Cause | undefined;
  /** The PBX had said that it stops, or was not heard any more. */
  readonly pbxStopped: boolean;
  /** How the customer's leg ended. */
  readonly customer: LegEnd;
  /** Outbound: how the leg of the agent who called ended, if it did. */
  readonly caller?: LegEnd | undefined;
  /** Inbound: how each agent's phone that was called ended; undefined = it still rings. */
  readonly phones: readonly (LegEnd | undefined)[];
}

const BUSY = new Set([17]);
/** Number unknown, changed, incomplete; subscriber absent. */
const NOT_FOUND = new Set([1, 2, 3, 14, 20, 22, 28]);
/** No circuit, network out of order, failure, congestion, not available. */
const NETWORK = new Set([25, 27, 34, 38, 41, 42, 43, 44, 46, 47, 58, 63, 88, 111]);
/** What a cancelled call carries when nobody refused it: none, normal, answered elsewhere, normal unspecified, interworking. */
const CANCELLED = new Set([0, 16, 26, 31, 127]);

/** ITU-T Q.850 → what Zammad has a word for. */
function causeOfQ850(q850: number | undefined): 'busy' | 'notFound' | 'congestion' | 'noAnswer' {
  if (q850 === undefined) return 'noAnswer';
  if (BUSY.has(q850)) return 'busy';
  if (NOT_FOUND.has(q850)) return 'notFound';
  return NETWORK.has(q850) ? 'congestion' : 'noAnswer';
}

/** The PBX reached that phone: it rang or was declined, and was not just busy or gone. */
const wasReached = (end: LegEnd | undefined): boolean => end === undefined || causeOfQ850(end.q850) === 'noAnswer';
/** A phone that still rings when somebody ends the call as busy says nothing against it. */
const wasBusy = (end: LegEnd | undefined): boolean => end === undefined || causeOfQ850(end.q850) === 'busy';

/** Why a call ended, in Zammad's words. The order of the questions is that of docs/architecture.md, "Causes". */
export function causeOf(facts: EndFacts): Cause {
  const { customer, caller } = facts;
  if (facts.outside) return 'forwarded';
  if (facts.answered) return 'normalClearing';
  if (facts.rejected !== undefined) return facts.rejected;
  if (facts.pbxStopped || customer.lost === true) return 'congestion';
  if (facts.direction === 'out') {
    // The far side's refusal counts, even when the agent hears its tone and hangs up then.
    const refused = customer.q850 !== undefined && !CANCELLED.has(customer.q850);
    if (!refused && caller?.by === 'far') return 'cancel';
    return causeOfQ850(customer.q850);
  }
  if (customer.by === 'far') return 'cancel';
  const cause = causeOfQ850(customer.q850);
  if (cause === 'busy') return facts.phones.every(wasBusy) ? 'busy' : 'noAnswer';
  if (cause !== 'noAnswer' && facts.phones.some(wasReached)) return 'noAnswer';
  return cause;
}
