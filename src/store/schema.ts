/** The tables, for Kysely; and the one place where the two kinds of database differ in what is asked of them. */
import { sql, type Kysely, type RawBuilder, type Transaction } from 'kysely';
import type { CredentialKind } from './credentials.js';
import type { AgentStateRow } from './agent-state-rows.js';
import type { CallRow, PostRow } from './rows.js';

export interface LeaseRow {
  readonly name: string;
  /** '': released. */
  readonly holder: string;
  readonly epoch: number;
  /** The database's clock, ms since 1970. */
  readonly expires_at: number;
  readonly address: string | null;
  /** When another bridge last waited for it, by the database's clock. */
  readonly wanted_at: number | null;
}

export interface CounterRow {
  /** `epoch`: the last lead's. `spill`: the last generation of the spill file whose rows are in the database. */
  readonly name: string;
  readonly value: number;
}

/** See `Credential`. */
export interface CredentialRow {
  readonly id: string;
  readonly kind: CredentialKind;
  readonly agent: string;
  readonly hash: string;
  readonly parent: string | null;
  readonly label: string | null;
  readonly created_at: number;
  readonly expires_at: number | null;
}

/** The prefix is for a PostgreSQL database that is somebody else's too. */
export interface Schema {
  zpb_calls: CallRow;
  zpb_posts: PostRow;
  zpb_leases: LeaseRow;
  zpb_counters: CounterRow;
  zpb_credentials: CredentialRow;
  zpb_agent_states: AgentStateRow;
}

export type Database = Kysely<Schema>;
export type Within = Transaction<Schema>;

export interface Dialect {
  readonly name: 'sqlite' | 'postgres';
  /** The database's clock, ms since 1970; also within a transaction that has waited. */
  readonly now: RawBuilder<number>;
  /** Several transactions may be under way at once, so that rows must be locked. */
  readonly locksRows: boolean;
  readonly integer: 'integer' | 'bigint';
}

export const SQLITE: Dialect = {
  name: 'sqlite',
  now: sql<number>`cast(unixepoch('subsec') * 1000 as integer)`,
  locksRows: false,
  integer: 'integer',
};

export const POSTGRES: Dialect = {
  name: 'postgres',
  now: sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`,
  locksRows: true,
  integer: 'bigint',
};
