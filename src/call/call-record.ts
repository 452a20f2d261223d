/** A call as it is kept over a restart: plain data that survives JSON. */
import type { Call, Counterpart, Telling } from './call.js';
import type { LegEnd } from './causes.js';
import type { AgentRef } from './directory.js';
import type { Leg } from './leg-table.js';
import type { RejectDoubt } from './reject.js';
import type { CallId, Cause, Direction, LegId, ZammadName } from './vocabulary.js';

/** What is kept of a leg that has a part in a call: what a snapshot of the PBX may not tell again. */
export type LegRecord = Omit<Leg, 'conversation'>;

/** Of this shape. 0 is no version: of such a record only what every version has could be read. */
export const VERSION = 1;

export interface CallRecord {
  /** Of this shape. A call whose record has another one cannot go on: it is closed, for which the keys down to `ordinal` are enough. */
  readonly version: number;
  readonly id: CallId;
  readonly from: string;
  readonly to: string;
  readonly answered: boolean;
  readonly gated?: boolean | undefined;
  readonly unrouted?: boolean | undefined;
  readonly tellings: readonly (Readonly<Telling> & { readonly zammad: ZammadName })[];
  readonly direction: Direction;
  readonly root: LegId;
  readonly ordinal: number;
  readonly customers: readonly LegId[];
  readonly agents: readonly AgentRef[];
  /** Agents' phones called, and how each ended; without an end it still rings or talks. */
  readonly phones: readonly { readonly leg: LegId; readonly end?: LegEnd | undefined }[];
  readonly forwards: readonly LegId[];
  readonly queues: readonly string[];
  readonly counterpart?: Counterpart | undefined;
  readonly lastAgent?: AgentRef | undefined;
  readonly caller?: LegEnd | undefined;
  readonly rejected?: Cause | undefined;
  readonly rejectDoubt?: RejectDoubt | undefined;
  readonly customerEnd?: LegEnd | undefined;
  /** newCall is still to go out. */
  readonly unannounced: boolean;
  /** A trunk leg of an outbound call ended, and its caller may try another one. */
  readonly closing: boolean;
  readonly legs: readonly LegRecord[];
}

export function recordOf(call: Call, legs: readonly Readonly<Leg>[]): CallRecord {
  return {
    version: VERSION,
    id: call.id,
    direction: call.direction,
    root: call.root,
    ordinal: call.ordinal,
    customers: [...call.customers],
    agents: [...call.agents.values()],
    phones: [...call.phones].map(([leg, end]) => ({ leg, end })),
    forwards: [...call.forwards],
    queues: [...call.queues],
    from: call.from,
    to: call.to,
    counterpart: call.counterpart,
    answered: call.answered,
    ...(call.gated && { gated: true }),
    ...(call.unrouted && { unrouted: true }),
    lastAgent: call.lastAgent,
    caller: call.caller,
    rejected: call.rejected,
    rejectDoubt: call.rejectDoubt,
    customerEnd: call.customerEnd,
    unannounced: call.announceAt !== undefined,
    closing: call.closeAt !== undefined,
    tellings: [...call.tellings].map(([zammad, telling]) => ({ zammad, ...telling })),
    legs: legs.map(legRecordOf),
  };
}

/** A record of another version becomes one that says enough to close its call. */
export const readable = (record: CallRecord): CallRecord =>
  record.version === VERSION
    ? record
    : { ...record, customers: [], agents: [], phones: [], forwards: [], queues: [], legs: [], closing: false };

/** The call that a readable record describes. What it waits for is the caller's business: no time survives a restart. */
export function callOf(record: CallRecord, destinations: readonly ZammadName[]): Call {
  const told = new Map(
    record.tellings.map(({ zammad, decision, answeredBy }): [ZammadName, Telling] => [
      zammad,
      { decision, answeredBy },
    ]),
  );
  // A Zammad that is new in the configuration hears of the call only if nobody was told yet.
  for (const name of destinations) {
    if (!told.has(name)) told.set(name, { decision: record.unannounced ? 'open' : 'skip', answeredBy: undefined });
  }
  return {
    id: record.id,
    direction: record.direction,
    root: record.root,
    ordinal: record.ordinal,
    customers: new Set(record.customers),
    agents: new Map(record.agents.map((agent) => [agent.extension, agent])),
    phones: new Map(record.phones.map(({ leg, end }) => [leg, end])),
    forwards: new Set(record.forwards),
    queues: new Set(record.queues),
    queueNamed: undefined,
    from: record.from,
    to: record.to,
    counterpart: record.counterpart,
    answered: record.answered,
    gated: record.gated === true,
    unrouted: record.unrouted === true,
    lastAgent: record.lastAgent,
    caller: record.caller,
    rejected: record.rejected,
    rejectDoubt: record.rejectDoubt,
    customerEnd: record.customerEnd,
    announceAt: undefined,
    identityAt: undefined,
    groupAt: undefined,
    closeAt: undefined,
    tellings: told,
  };
}

const legRecordOf = (leg: Readonly<Leg>): LegRecord => ({
  id: leg.id,
  line: leg.line,
  origin: leg.origin,
  // What the caller does not want shown is kept nowhere.
  from: leg.withheld === true ? undefined : leg.from,
  dialled: leg.dialled,
  withheld: leg.withheld,
  by: leg.by,
  onBehalfOf: leg.onBehalfOf,
  called: leg.called,
  up: leg.up,
  queue: leg.queue,
  voicemail: leg.voicemail,
});
