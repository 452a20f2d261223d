/** What becomes of an agent's wish to have a number dialled. */
import type { OriginateRefusal } from '../pbx/orders.js';

/** Why it was not even tried. */
export type DialRefusal =
  /** There is no number in what was given. */
  | 'bad-number'
  | 'emergency'
  | 'feature-code'
  | 'own-number'
  /** By `dial.allow` or `dial.deny`. */
  | 'number-denied'
  | 'unknown-agent'
  /** There are several PBXs, and nobody has said at which one this agent's phone is. */
  | 'no-pbx'
  /** This PBX's adapter cannot ring phones. */
  | 'cannot'
  /** Another bridge speaks for this PBX. */
  | 'elsewhere'
  /** No bridge speaks for it now. */
  | 'not-yet'
  /** The last call of this agent is still being set up. */
  | 'under-way'
  | 'too-often';

/** For programs; the page has words of its own for each. `unknown`: the PBX has not said what became of it. */
export type DialReason = 'taken' | DialRefusal | OriginateRefusal | 'unknown';

export interface DialAnswer {
  /** `done`: the agent has taken it, and the number is being dialled. */
  readonly status: 'done' | 'refused';
  readonly reason: DialReason;
  /** For people. */
  readonly words: string;
  /** The number as it was understood: `+49…`, or as it is dialled inside. */
  readonly number?: string | undefined;
  /** What stood behind the number and is not dialled: an extension behind a comma. */
  readonly leftOut?: string | undefined;
  /** The id under which Zammad hears of an outside call. */
  readonly callId?: string | undefined;
  /** The PBX's own words or cause. */
  readonly said?: string | undefined;
  /** Where the bridge that leads can be reached, with `elsewhere`. */
  readonly leader?: string | undefined;
  /** Seconds after which it may be tried again. */
  readonly retryAfter?: number | undefined;
}
