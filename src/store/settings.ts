/** What a store is opened with. */
import type { Logger } from 'pino';
import type { BackoffRange } from '../backoff.js';
import type { Millis } from '../call/vocabulary.js';
import type { Clock } from '../clock.js';
import type { Secret } from '../secret.js';

/**
 * `full`: what was committed survives a power cut. `normal`: it survives the end of the process, however that comes; a power cut may
 * cost the last commits.
 */
export type Durability = 'full' | 'normal';

export interface SqliteSettings {
  readonly kind: 'sqlite';
  /** The database file; its directory is made where it is missing. */
  readonly path: string;
  readonly durability: Durability;
  /** How long what is done with (delivered posts, calls that are over) is kept; dead and unknown posts four times as long. */
  readonly keep: Millis;
}

export interface PostgresSettings {
  readonly kind: 'postgres';
  readonly url: Secret;
  readonly durability: Durability;
  readonly keep: Millis;
}

export type DurableSettings = SqliteSettings | PostgresSettings;
export type StoreSettings = { readonly kind: 'memory' } | DurableSettings;

export interface StoreMetrics {
  count(name: string, labels?: Readonly<Record<string, string>>, by?: number): void;
  gauge(name: string, value: number, labels?: Readonly<Record<string, string>>): void;
}

export interface StoreContext {
  readonly clock: Clock;
  /** 0 up to 1. */
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics: StoreMetrics;
  /** The name of this machine among those that share the store; else the host name. */
  readonly holder?: string | undefined;
  /** Where this bridge's HTTP server can be reached: told to those who find its PBXs taken. */
  readonly address?: string | undefined;
  /** Ends the opening of the store; means nothing later on. */
  readonly signal?: AbortSignal | undefined;
  readonly tuning?: Partial<StoreTuning> | undefined;
}

/** Times in ms. */
export interface StoreTuning {
  /** How long a lead holds without renewal. */
  readonly ttl: Millis;
  readonly renewEvery: Millis;
  /** Rows not yet written that are kept at most. */
  readonly rows: number;
  /** Posts not yet delivered that are kept at most. */
  readonly openPosts: number;
  /** Rows of one transaction at most; a turn is never split. */
  readonly batch: number;
  /** How long SQLite may refuse a write before it goes to the spill file. */
  readonly patience: Millis;
  /** How long the worker may take for a commit before the store goes on without it. */
  readonly answer: Millis;
  /** How long the worker may stay silent before it is asked to end. */
  readonly stuck: Millis;
  /** How long the start waits for the database to be opened; then it goes on, and the store's state says what is wrong. */
  readonly open: Millis;
  /** Pauses between tries to get a database back. Short: what is heard meanwhile is in memory only. */
  readonly retry: BackoffRange;
  /** Size of the spill file, bytes. */
  readonly spillBytes: number;
  /** When old rows are removed for the first time, and then. */
  readonly cleanFirst: Millis;
  readonly cleanEvery: Millis;
  /** Rows removed in one go. */
  readonly cleanRows: number;
}

export const DEFAULT_TUNING: StoreTuning = {
  ttl: 6_000,
  renewEvery: 1_500,
  rows: 50_000,
  openPosts: 100_000,
  batch: 500,
  patience: 200,
  answer: 3_000,
  stuck: 30_000,
  open: 10_000,
  retry: { first: 100, max: 500 },
  spillBytes: 4 * 1024 * 1024,
  cleanFirst: 60_000,
  cleanEvery: 600_000,
  cleanRows: 500,
};
