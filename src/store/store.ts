/**
 * The store as the rest of the program sees it: the journal (calls not yet over), the outbox (posts not yet delivered) and the
 * leads (which bridge speaks for which PBX). Memory, SQLite and PostgreSQL are the same behind it.
 */
import type { CallRecord } from '../call/call-record.js';
import type { CallId, LegId, Millis, PbxName } from '../call/vocabulary.js';
import type { Credentials } from './credentials.js';
import type { AgentStates } from './agent-states.js';
import type { NewOutboxItem, Outbox, OutboxItem } from './outbox.js';

export type StoreKind = 'memory' | 'sqlite' | 'postgres';

/** How a call is to stand in the journal from now on. */
export interface CallChange {
  readonly callId: CallId;
  /** The leg that started it, and which of that leg's calls it is (1, 2, …): so no id is ever used twice. */
  readonly root: LegId;
  readonly ordinal: number;
  /** Undefined: it is over. */
  readonly record: CallRecord | undefined;
  /** It is over, but these legs that had a part in it still live. */
  readonly aftermath?: readonly LegId[] | undefined;
}

/** What happened in one turn of the event loop: committed together, all or nothing. */
export interface Turn {
  readonly calls: readonly CallChange[];
  /** In the order in which they are to be sent. */
  readonly posts: readonly NewOutboxItem[];
}

/** What an earlier run, or another bridge, has left of a PBX. */
export interface Heritage {
  /** The calls that are not over. */
  readonly calls: readonly CallRecord[];
  /** How many calls each leg has started that may still be alive. */
  readonly roots: readonly { readonly root: LegId; readonly count: number }[];
  /** The `aftermath` of the calls that ended within the last hour. */
  readonly aftermath: readonly LegId[];
  /** Posts `waiting` or `sending`, in their order. */
  readonly posts: readonly OutboxItem[];
  /** The newCalls of those calls and posts, whatever became of them: Zammad may turn out not to know a call. */
  readonly newCalls: readonly OutboxItem[];
}

/** What the store knows of a call that somebody asks about. */
export interface CallKnowledge {
  readonly callId: CallId;
  /** It is not over. */
  readonly open: boolean;
  /** Every post of it that the store still has, in order. */
  readonly posts: readonly OutboxItem[];
}

/** The right to speak for a PBX. Ends by `release`, or when another bridge has taken it. */
export interface Lead {
  readonly pbx: PbxName;
  /** Grows with every change of hands of any PBX. */
  readonly epoch: number;
  /**
   * Monotonic ms of this process: from then on nothing may be sent for this PBX, unless it has grown meanwhile. Infinity where no
   * other machine can take over.
   */
  readonly until: Millis;
  /** Aborted when another bridge leads, or after `release`: nothing more may be heard, written or sent. */
  readonly ended: AbortSignal;
  /** What there is to go on with. Rejects with a RetriableError when it cannot be read now. */
  load(): Promise<Heritage>;
  /**
   * Commits, in the order of the calls to it. Resolves with the posts when they are safe, or when the store goes on without its
   * disk and has said so; only then may they be sent. Rejects with ZPB_OUTBOX_FULL when memory is at its bound, and with
   * ZPB_STORE_NOT_LEADING when the lead has ended.
   */
  commit(turn: Turn): Promise<readonly OutboxItem[]>;
  /** Posts that a person, or another program, wants sent (`outbox resend`, `reconcile`). Each is given out once. */
  handedIn(): Promise<readonly OutboxItem[]>;
  knowledge(callIds: readonly CallId[]): Promise<readonly CallKnowledge[]>;
  /** Forgets dead and unknown posts (by seq) that have turned out to be settled. Others are passed over. */
  drop(seqs: readonly number[]): Promise<void>;
  /** Another bridge waits for this lead. */
  readonly wanted: boolean;
  /** Lets another bridge lead at once. Never rejects. */
  release(): Promise<void>;
}

/** Who leads instead. */
export interface LedElsewhere {
  readonly holder: string;
  /** Where its HTTP server can be reached, as it was told to `openStore`. */
  readonly address?: string | undefined;
}

/** How well the store does, for readiness and people. */
export type StoreState =
  | { readonly state: 'ok' }
  /** SQLite: the file takes no writes now; they go to the emergency journal beside it, and nothing is lost by a crash. */
  | { readonly state: 'spilling'; readonly reason: string; readonly since: Millis }
  /** SQLite: nothing on the disk takes writes; a crash would lose what is kept in memory. */
  | { readonly state: 'memory'; readonly reason: string; readonly since: Millis }
  /** PostgreSQL: not reachable; no request is begun, since its attempt cannot be written. What is under way goes on while the lead lasts. */
  | { readonly state: 'gone'; readonly reason: string; readonly since: Millis };

export interface Store {
  readonly kind: StoreKind;
  readonly outbox: Outbox;
  /** What agents sign in with. */
  readonly credentials: Credentials;
  /** Whether agents wish to be disturbed. */
  readonly agentStates: AgentStates;
  readonly state: StoreState;
  /** Rows not yet on the disk. */
  readonly unwritten: number;
  /** Tries once to lead. Rejects with a RetriableError when the store cannot be asked now. */
  lead(pbx: PbxName): Promise<Lead | LedElsewhere>;
  /** PBXs of which there are open calls or posts, also such that are not configured any more. */
  pbxs(): Promise<readonly PbxName[]>;
  /** Writes what is still to be written, within `deadline` ms; releases every lead; closes. May be called more than once. */
  close(deadline: Millis): Promise<void>;
}

/** The store as people and other programs look at it from outside (`outbox`, `reconcile`, `token`): leads nothing. */
export interface Desk {
  readonly credentials: Credentials;
  readonly agentStates: AgentStates;
  /** Posts, newest first. */
  list(states: readonly OutboxItem['state'][], limit: number): Promise<readonly OutboxItem[]>;
  /** Dead and unknown posts (by seq) become waiting again; the leading bridge takes them up within seconds. Returns those that did. */
  resend(seqs: readonly number[]): Promise<readonly OutboxItem[]>;
  /** Forgets dead and unknown posts. Returns those that were there. */
  drop(seqs: readonly number[]): Promise<readonly OutboxItem[]>;
  /** Posts that are to be sent besides, by whoever leads. */
  handIn(posts: readonly NewOutboxItem[]): Promise<readonly OutboxItem[]>;
  knowledge(callIds: readonly CallId[]): Promise<readonly CallKnowledge[]>;
  close(): Promise<void>;
}
