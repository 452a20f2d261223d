/** A call as it is kept over a restart: plain data that survives JSON. */
import type { Call, Counterpart, Telling } from './call.js';
import type { LegEnd } from './causes.js';
import type { AgentRef } from './directory.js';
import type { Leg } from './leg-table.js';
import type { CallId, Cause, Direction, LegId, ZammadName } from './vocabulary.js';

/** What is kept of a leg that has a part in a call: what a snapshot of the PBX may not tell again. */
export type LegRecord = Omit<Leg, 'conversation'>;

export interface CallRecord {
  /** Of this shape. A record of another version is not taken up, but its call is closed. */
  readonly version: 1;
  readonly id: CallId;
  readonly direction: Direction;
  readonly root: LegId;
  readonly ordinal: number;
  readonly customers: readonly LegId[];
  readonly agents: readonly AgentRef[];
  /** Agents' phones called, and how each ended; without an end it still rings or talks. */
  readonly phones: readonly { readonly leg: LegId; readonly end?: LegEnd | undefined }[];
  readonly queues: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly counterpart?: Counterpart | undefined;
  readonly answered: boolean;
  readonly lastAgent?: AgentRef | undefined;
  readonly caller?: LegEnd | undefined;
  readonly rejected?: Cause | undefined;
  readonly customerEnd?: LegEnd | undefined;
  /** newCall is still to go out. */
  readonly unannounced: boolean;
  /** A trunk leg of an outbound call ended, and its caller may try another one. */
  readonly closing: boolean;
  readonly tellings: readonly (Readonly<Telling> & { readonly zammad: ZammadName })[];
  readonly legs: readonly LegRecord[];
}

export function recordOf(call: Call, legs: readonly Leg[]): CallRecord {
  return {
    version: 1,
    id: call.id,
    direction: call.direction,
    root: call.root,
    ordinal: call.ordinal,
    customers: [...call.customers],
    agents: [...call.agents.values()],
    phones: [...call.phones].map(([leg, end]) => ({ leg, end })),
    queues: [...call.queues],
    from: call.from,
    to: call.to,
    counterpart: call.counterpart,
    answered: call.answered,
    lastAgent: call.lastAgent,
    caller: call.caller,
    rejected: call.rejected,
    customerEnd: call.customerEnd,
    unannounced: call.announceAt !== undefined,
    closing: call.closeAt !== undefined,
    tellings: [...call.tellings].map(([zammad, telling]) => ({ zammad, ...telling })),
    legs: legs.map(({ conversation: _, ...leg }) => leg),
  };
}
