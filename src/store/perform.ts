/** The operations that are the same on both kinds of database. */
import type { PbxName } from '../call/vocabulary.js';
import { addCredential, findCredential, listTokens, revokeCredential } from './credential-rows.js';
import { dropPosts, handInPosts, listPosts, resendPosts } from './desk-rows.js';
import { readHandedIn, readHeritage, readKnowledge, readNewCalls, readOpenPosts, readPbxs } from './heritage.js';
import { acquire, release, renew, type LeaseTerms } from './leases.js';
import type { Input, OperationName, Output } from './protocol.js';
import { removeOld } from './retention.js';
import type { Database } from './schema.js';
import { putAgentStates, readAgentStates } from './write-agent-states.js';
import { writeBatch } from './write-batch.js';

type Performer<Name extends OperationName> = (
  db: Database,
  terms: LeaseTerms,
  input: Input<Name>,
) => Promise<Output<Name>>;

/** Every operation that is about rows. `commit` answers the PBXs that are lost. */
export interface RowOperations {
  readonly commit: (db: Database, terms: LeaseTerms, input: Input<'commit'>) => Promise<readonly PbxName[]>;
  readonly acquire: Performer<'acquire'>;
  readonly renew: Performer<'renew'>;
  readonly release: Performer<'release'>;
  readonly load: Performer<'load'>;
  readonly openPosts: Performer<'openPosts'>;
  readonly newCalls: Performer<'newCalls'>;
  readonly handedIn: Performer<'handedIn'>;
  readonly knowledge: Performer<'knowledge'>;
  readonly pbxs: Performer<'pbxs'>;
  readonly clean: Performer<'clean'>;
  readonly list: Performer<'list'>;
  readonly resend: Performer<'resend'>;
  readonly drop: Performer<'drop'>;
  readonly handIn: Performer<'handIn'>;
  readonly addCredential: Performer<'addCredential'>;
  readonly findCredential: Performer<'findCredential'>;
  readonly tokens: Performer<'tokens'>;
  readonly revokeCredential: Performer<'revokeCredential'>;
  readonly agentStates: Performer<'agentStates'>;
  readonly putAgentStates: Performer<'putAgentStates'>;
}

export const ROW_OPERATIONS: RowOperations = {
  commit: (db, { dialect }, batch) => db.transaction().execute((trx) => writeBatch(trx, dialect, batch)),
  acquire: (db, terms, { pbx }) => db.transaction().execute((trx) => acquire(trx, terms, pbx)),
  renew: (db, terms, leads) => renew(db, terms, leads),
  release: async (db, _terms, { pbx, epoch }) => {
    await release(db, pbx, epoch);
    return undefined;
  },
  load: (db, _terms, { pbx, ...window }) => db.transaction().execute((trx) => readHeritage(trx, pbx, window)),
  openPosts: (db, _terms, page) => readOpenPosts(db, page),
  newCalls: (db, _terms, { pbx, callIds }) => readNewCalls(db, pbx, callIds),
  handedIn: (db, _terms, { pbx }) => readHandedIn(db, pbx),
  knowledge: (db, _terms, callIds) => readKnowledge(db, callIds),
  pbxs: (db) => readPbxs(db),
  clean: (db, _terms, input) => db.transaction().execute((trx) => removeOld(trx, input)),
  list: (db, _terms, { states, limit }) => listPosts(db, states, limit),
  resend: (db, _terms, { seqs, now }) => db.transaction().execute((trx) => resendPosts(trx, seqs, now)),
  drop: (db, _terms, seqs) => db.transaction().execute((trx) => dropPosts(trx, seqs)),
  handIn: (db, { dialect }, rows) => db.transaction().execute((trx) => handInPosts(trx, dialect, rows)),
  addCredential: (db, { dialect }, row) => db.transaction().execute((trx) => addCredential(trx, dialect, row)),
  findCredential: (db, _terms, { id, now }) => findCredential(db, id, now),
  tokens: (db, _terms, { agent }) => listTokens(db, agent),
  revokeCredential: (db, _terms, { id }) => db.transaction().execute((trx) => revokeCredential(trx, id)),
  agentStates: (db) => readAgentStates(db),
  putAgentStates: async (db, _terms, rows) => {
    await db.transaction().execute((trx) => putAgentStates(trx, rows));
    return undefined;
  },
};

type Run = <T>(task: (db: Database) => Promise<T>) => Promise<T>;
type Operation = (input: never) => Promise<unknown>;

/** All of them, each run by `run`, which has the database. */
export function rowOperations(run: Run, terms: LeaseTerms): Record<keyof RowOperations, Operation> {
  const names = Object.keys(ROW_OPERATIONS) as (keyof RowOperations)[];
  const entries = names.map((name): [string, Operation] => [
    name,
    (input) => run<unknown>((db) => ROW_OPERATIONS[name](db, terms, input)),
  ]);
  return Object.fromEntries(entries) as Record<keyof RowOperations, Operation>;
}
