/**
 * What a PBX can be told to do: each a small interface of its own, which an adapter has or has not. None of them rejects for what
 * the PBX says: it settles with `done`, `gone` or `refused` and the reason in words. An order to a PBX that is not heard is
 * refused. Each has a deadline of its own.
 */
import type { LegId } from '../call/vocabulary.js';

/** How an order to the PBX came out. */
export type OrderOutcome =
  | { readonly kind: 'done' }
  /** The leg or agent is no longer there: nothing left to do. */
  | { readonly kind: 'gone' }
  /** The PBX, or the login's rights, said no. `reason` is for people. */
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * The adapter can end a leg. `q850` tells the far end why (17 = busy). Rejects when no answer came in time: then it may have been done,
 * and how the leg ends tells.
 */
export interface HangsUp {
  hangUp(leg: LegId, q850: number): Promise<OrderOutcome>;
}

/** The adapter can set the number that a leg will show to whom it dials next. Takes effect only before that leg dials. */
export interface SetsCallerId {
  /** `number`: digits, perhaps with a "+" before them. */
  setCallerId(leg: LegId, number: string): Promise<OrderOutcome>;
}

/** How a PBX finds an agent's phones. */
export interface AgentPhones {
  readonly extension: string;
  /** The PBX's own names of them, as configured (`PJSIP/alice`); empty: they are called like the extension. */
  readonly devices: readonly string[];
}

/** Click-to-call: rings the agent's phone, and, when he has taken it, dials for him. */
export interface OriginateOrder {
  readonly agent: AgentPhones;
  /** As an agent would dial it at his phone, outside-line prefix and all: digits, `+`, `*`, `#`; never anything else. */
  readonly number: string;
  /** What the agent's phone shows while it rings. */
  readonly shown: string;
  /** Header that makes his phone answer by itself, name and value (`Call-Info`, `;answer-after=0`); undefined: he takes it himself. */
  readonly autoAnswer?: { readonly name: string; readonly value: string } | undefined;
  /** How long his phone rings, ms. */
  readonly ringFor: number;
}

/** Why nothing came of it, for programs. */
export type OriginateRefusal =
  | 'not-registered'
  | 'unknown-extension'
  | 'busy'
  | 'declined'
  | 'no-answer'
  | 'not-allowed'
  | 'not-heard'
  | 'failed';

export type OriginateOutcome =
  /** The agent has taken it, and the number is being dialled. `leg`: the agent's. */
  | { readonly kind: 'done'; readonly leg: LegId }
  /** `reason`: for people. `said`: the PBX's own words or cause, where it gave one. */
  | {
      readonly kind: 'refused';
      readonly why: OriginateRefusal;
      readonly reason: string;
      readonly said?: string | undefined;
    };

export interface Originates {
  /** Settles when the agent has taken the call, or nothing can come of it: within `ringFor` and some seconds. */
  originate(order: OriginateOrder): Promise<OriginateOutcome>;
}

/** Do not disturb: the PBX is to put no queue's calls through to this agent (`paused`), or to do so again. */
export interface Pauses {
  /** `gone`: the PBX has no queue with this agent, and no state of his is kept there. */
  pause(agent: AgentPhones, paused: boolean): Promise<OrderOutcome>;
  /**
   * Beside what it says, the PBX keeps the state in a place of which it may say nothing (an entry of a database that the dialplan reads):
   * what was heard of the queues is ordered too, so that it is set there.
   */
  readonly keepsFlag?: boolean;
}

/** Whether calls can wait at this PBX's gate. */
export type GateState =
  /** The PBX can ask. */
  | { readonly kind: 'open' }
  /** It cannot, and a person must mend something. */
  | { readonly kind: 'closed'; readonly reason: string }
  /** Nobody has configured it. `mend`: the setting and the line of the dialplan that make a gate. */
  | { readonly kind: 'off'; readonly mend: string };

/** The adapter can have calls wait, by `AdapterContext.gate`. */
export interface Gates {
  gateState(): GateState;
}

/** What a look at a PBX found. `reason` and `mend` are for people and name no secret. */
export type ProbeFinding =
  /** It is heard. `missing`: what the login may not do. */
  | { readonly kind: 'heard'; readonly product?: string | undefined; readonly missing: readonly string[] }
  | {
      readonly kind:
        | 'unknown-host'
        | 'unreachable'
        /** Nothing listens at that port. */
        | 'refused'
        /** It listens, and closes at once: an access list. */
        | 'not-allowed'
        /** Something else listens there. */
        | 'wrong-port'
        | 'wrong-password'
        | 'tls'
        /** It takes the connection and says nothing. */
        | 'deaf'
        | 'other';
      readonly reason: string;
      readonly mend: string;
    };

/** The adapter can look, beside its connection, why its PBX cannot be heard. Emits nothing, leaves nothing open. */
export interface Probes {
  /** Settles within 10 s, or at once when the signal is aborted. */
  probe(signal: AbortSignal): Promise<ProbeFinding>;
}

const has =
  <Capability extends object>(method: keyof Capability & string) =>
  (adapter: object): adapter is Capability =>
    typeof (adapter as Readonly<Record<string, unknown>>)[method] === 'function';
export const canHangUp = has<HangsUp>('hangUp');
export const canSetCallerId = has<SetsCallerId>('setCallerId');
export const canOriginate = has<Originates>('originate');
export const canPause = has<Pauses>('pause');
export const canGate = has<Gates>('gateState');
export const canProbe = has<Probes>('probe');
