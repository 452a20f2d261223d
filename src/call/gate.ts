/** The gate: the moment before any phone rings at which a PBX asks, and waits briefly, what shall become of a call. */
import type { Outcome } from './outcome.js';
import type { CallId, Cause, Direction, LegId, Line, Millis } from './vocabulary.js';

/** What the PBX tells of the call that waits. */
export interface GateRequest {
  /** The leg that waits: the customer's (a trunk), or the agent's who calls. */
  readonly leg: LegId;
  readonly line: Extract<Line, { kind: 'agent' | 'trunk' }>;
  /** The number the leg shows. */
  readonly from?: string | undefined;
  /** The number dialled: inbound the DID, outbound the number as it is to be dialled outside. */
  readonly dialled?: string | undefined;
  readonly withheld: boolean;
  /** Extensions of the agents whose phones are going to ring; none: the PBX does not say. */
  readonly users?: readonly string[] | undefined;
  /** Its name, as Zammad is to be told it; empty: the PBX does not say. */
  readonly queue?: string | undefined;
  /** Since when the PBX waits, monotonic ms: the budget counts from there. Default: since it is asked. */
  readonly since?: Millis | undefined;
}

/** Why a caller hears that he is not put through. */
export type RejectReason = Extract<Cause, 'busy' | 'noAnswer' | 'congestion' | 'notFound'>;

/** What shall become of it. */
export type GateDecision =
  | { readonly kind: 'continue' }
  | { readonly kind: 'reject'; readonly reason: RejectReason }
  /** `callerId`: digits, perhaps with a "+" before them, as Zammad says it. */
  | { readonly kind: 'dial'; readonly callerId: string };

/** What the brain makes of a request. */
export type GateOpening =
  /** Zammad is to be asked: the newCalls among the outcomes are what it is asked by. */
  | {
      readonly kind: 'ask';
      readonly callId: CallId;
      readonly direction: Direction;
      readonly outcomes: readonly Outcome[];
    }
  /** The call goes on at once. `why` is for people. */
  | { readonly kind: 'pass'; readonly why: string; readonly outcomes: readonly Outcome[] };
