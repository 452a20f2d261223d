import type { LegEnd } from './causes.js';
import type { AgentRef } from './directory.js';
import type { Rejectable } from './reject.js';
import type { CallId, Direction, LegId, Millis, ZammadName } from './vocabulary.js';

/** Who is at the other end of the customer's conversation. */
export type Counterpart =
  | { readonly kind: 'agent'; readonly agent: AgentRef }
  /** An outside number, by forward or transfer, that has answered. */
  | { readonly kind: 'outside' }
  | { readonly kind: 'voicemail' };

/** What one Zammad was told of a call. */
export interface Telling {
  /** The filters' word: given once, then kept. */
  decision: 'open' | 'send' | 'skip';
  /** Who Zammad believes talks, as a key: no answer goes out twice in a row for the same one. */
  answeredBy: string | undefined;
}

/** One conversation with one customer, from the first ring to the last goodbye. Plain data. */
export interface Call extends Rejectable {
  readonly id: CallId;
  readonly direction: Direction;
  /** The leg that started it: inbound the customer's; outbound the agent's, from which it was dialled. */
  root: LegId;
  /** Which of the outside calls of that leg it is: 1, 2, … */
  readonly ordinal: number;
  /** The trunk legs tried for the customer that have not ended (several only while an outbound call looks for a way out). */
  readonly customers: Set<LegId>;
  /** Agents called (in) or calling (out), by extension, in order. */
  readonly agents: Map<string, AgentRef>;
  /** Agents' phones called, and how each ended. */
  readonly phones: Map<LegId, LegEnd | undefined>;
  /** Trunk legs dialled for the customer: forwards and transfers to the outside that have not ended. */
  readonly forwards: Set<LegId>;
  readonly queues: Set<string>;
  /** Inbound and gated: the queue that the PBX named there for Zammad. Told at that very moment, and not needed later. */
  queueNamed: string | undefined;
  from: string;
  to: string;
  counterpart: Counterpart | undefined;
  /** The PBX asked before any phone rang: whom it concerns was said then, and it was told at once. */
  gated: boolean;
  /** Outbound and gated: the PBX has not dialled outside yet. */
  unrouted: boolean;
  /** An agent has talked with the customer. */
  answered: boolean;
  /** The agent who talks, or talked last. */
  lastAgent: AgentRef | undefined;
  /** Outbound: how the caller's leg ended. */
  caller: LegEnd | undefined;
  /** How the customer's (last) leg ended. */
  customerEnd: LegEnd | undefined;
  /** When newCall is due at the latest; undefined once it went out. */
  announceAt: Millis | undefined;
  /** Until then it is waited for whether the caller wants his number shown; undefined: it is known. */
  identityAt: Millis | undefined;
  /** Inbound: when the ring group that its first phone belongs to is known; undefined: no phone was called. */
  groupAt: Millis | undefined;
  /** When it is over unless another way out is tried until then. */
  closeAt: Millis | undefined;
  readonly tellings: Map<ZammadName, Telling>;
}

/** A call of which nothing is known but how it began. */
export const freshCall = (
  beginning: Pick<
    Call,
    'id' | 'direction' | 'root' | 'ordinal' | 'customers' | 'from' | 'to' | 'announceAt' | 'identityAt'
  >,
  destinations: readonly { readonly name: ZammadName }[],
): Call => ({
  ...beginning,
  agents: new Map(),
  phones: new Map(),
  forwards: new Set(),
  queues: new Set(),
  queueNamed: undefined,
  counterpart: undefined,
  gated: false,
  unrouted: false,
  answered: false,
  lastAgent: undefined,
  caller: undefined,
  rejected: undefined,
  rejectDoubt: undefined,
  customerEnd: undefined,
  groupAt: undefined,
  closeAt: undefined,
  tellings: new Map(
    destinations.map(({ name }): [ZammadName, Telling] => [name, { decision: 'open', answeredBy: undefined }]),
  ),
});
