/** What the main thread asks of the store's worker thread, and what that answers. Everything is plain data. */
import type { CallId, LegId, Millis, PbxName } from '../call/vocabulary.js';
import type { AgentStateRow } from './agent-state-rows.js';
import type { DeliveryState } from './outbox.js';
import type { Batch, CallRow, PostRow } from './rows.js';
import type { CredentialRow } from './schema.js';
import type { Durability } from './settings.js';

/** Given to the worker when it starts. */
export interface WorkerSettings {
  readonly database:
    | {
        readonly kind: 'sqlite';
        readonly path: string;
        /** It must be there already, and nothing is repaired: another process may be its owner. */
        readonly visitor: boolean;
        readonly patience: Millis;
        readonly spillBytes: number;
      }
    | { readonly kind: 'postgres'; readonly url: string };
  readonly durability: Durability;
  /** See `holderText`. */
  readonly holder: string;
  readonly address: string | null;
  readonly ttl: Millis;
  readonly retry: { readonly first: Millis; readonly max: Millis };
}

export interface Committed {
  /** `nowhere`: neither the database nor the spill file took it; it is to be sent again. */
  readonly where: 'database' | 'spill' | 'nowhere';
  /** Why not to the database. */
  readonly reason?: string | undefined;
  /** PBXs that another bridge leads by now: nothing was written for them. */
  readonly lost: readonly PbxName[];
}

export type Acquired = { readonly epoch: number } | { readonly holder: string; readonly address: string | null };

export interface Renewed {
  readonly pbx: PbxName;
  readonly epoch: number;
  readonly kept: boolean;
  readonly wanted: boolean;
}

export interface HeritageRows {
  readonly calls: readonly CallRow[];
  readonly roots: readonly { readonly root: LegId; readonly count: number }[];
  readonly aftermath: readonly LegId[];
}

export interface KnowledgeRows {
  readonly open: readonly CallId[];
  readonly posts: readonly PostRow[];
}

type Operation<Input, Output> = { readonly input: Input; readonly output: Output };
type LeadInput = { readonly pbx: PbxName; readonly epoch: number };

export interface Operations {
  /** Opens what is not open yet; rejects with a PermanentError where only a person can help. */
  open: Operation<undefined, undefined>;
  commit: Operation<Batch, Committed>;
  acquire: Operation<{ readonly pbx: PbxName }, Acquired>;
  renew: Operation<readonly LeadInput[], readonly Renewed[]>;
  release: Operation<LeadInput, undefined>;
  /** `since`: roots of calls that changed after that wall time count. */
  load: Operation<{ readonly pbx: PbxName; readonly since: number; readonly justNow: number }, HeritageRows>;
  /** The `limit` posts with the lowest seq above `after` that are waiting or being sent. */
  openPosts: Operation<{ readonly pbx: PbxName; readonly after: number; readonly limit: number }, readonly PostRow[]>;
  /** Of these calls, in the order of their seq. */
  newCalls: Operation<{ readonly pbx: PbxName; readonly callIds: readonly CallId[] }, readonly PostRow[]>;
  handedIn: Operation<{ readonly pbx: PbxName }, readonly PostRow[]>;
  knowledge: Operation<readonly CallId[], KnowledgeRows>;
  pbxs: Operation<undefined, readonly PbxName[]>;
  /** Wall times before which what is done with is removed, `limit` rows at most; answers how many were. */
  clean: Operation<{ readonly done: number; readonly troubled: number; readonly limit: number }, number>;
  list: Operation<{ readonly states: readonly DeliveryState[]; readonly limit: number }, readonly PostRow[]>;
  resend: Operation<{ readonly seqs: readonly number[]; readonly now: number }, readonly PostRow[]>;
  drop: Operation<readonly number[], readonly PostRow[]>;
  /** seq is still to be given. */
  handIn: Operation<readonly PostRow[], readonly PostRow[]>;
  /** Answers whether it was kept. */
  addCredential: Operation<CredentialRow, boolean>;
  /** `now`: wall time. */
  findCredential: Operation<{ readonly id: string; readonly now: number }, CredentialRow | undefined>;
  tokens: Operation<{ readonly agent?: string | undefined }, readonly CredentialRow[]>;
  revokeCredential: Operation<{ readonly id: string }, CredentialRow | undefined>;
  agentStates: Operation<undefined, readonly AgentStateRow[]>;
  putAgentStates: Operation<readonly AgentStateRow[], undefined>;
  close: Operation<undefined, undefined>;
}

export type OperationName = keyof Operations;
export type Input<Name extends OperationName> = Operations[Name]['input'];
export type Output<Name extends OperationName> = Operations[Name]['output'];

export interface Request {
  readonly id: number;
  readonly name: OperationName;
  readonly input: unknown;
}

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly retriable: boolean;
}

export type WorkerEvent =
  /** What was in the spill file is in the database. */
  | { readonly kind: 'drained'; readonly batches: number }
  /** The file was damaged; it was set aside as `aside`, and a new one holds what could be read. */
  | {
      readonly kind: 'salvaged';
      readonly reason: string;
      readonly aside: string;
      readonly calls: number;
      readonly posts: number;
    };

export type FromWorker =
  | { readonly id: number; readonly output: unknown }
  | { readonly id: number; readonly failure: Failure }
  | { readonly event: WorkerEvent };

/** The other side of the worker: what performs the operations. */
export interface Engine {
  perform<Name extends OperationName>(name: Name, input: Input<Name>): Promise<Output<Name>>;
}
