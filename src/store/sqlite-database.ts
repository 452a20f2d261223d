/** One connection to a SQLite file, with Kysely over it. Lives in the worker: everything here blocks its thread. */
import { CompiledQuery, Kysely, SqliteDialect, SqliteDriver } from 'kysely';
import type { DatabaseConnection, Driver, SqliteDatabase, SqliteDialectConfig, SqliteStatement } from 'kysely';
import type SqliteConstructor from 'better-sqlite3';
import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { asError, PermanentError } from '../errors.js';
import { migrate } from './migrations.js';
import { SQLITE, type Database, type Schema } from './schema.js';
import type { Durability } from './settings.js';
import { isNoFile, noStoreYet } from './sqlite-trouble.js';

export type Sqlite = typeof SqliteConstructor;
export type RawSqlite = SqliteConstructor.Database;

/** Prepared statements kept: there are about fifty, some of them in several lengths. */
const STATEMENTS = 300;
/** A write-ahead log that had to grow is cut to this again, bytes. */
const LOG_BYTES = 16 * 1024 * 1024;
/** Up to this size the whole file is looked through when it is opened (about 0.5 s for the largest). */
const CHECKED_BYTES = 256 * 1024 * 1024;

/** The package is optional: it needs a compiled part, which not every machine has. */
export async function loadSqlite(): Promise<Sqlite> {
  try {
    const { default: Sqlite } = await import('better-sqlite3');
    // The compiled part is loaded by the first use.
    new Sqlite(':memory:').close();
    return Sqlite;
  } catch (thrown) {
    throw new PermanentError(
      'ZPB_STORE_SQLITE_MISSING',
      `The package better-sqlite3 cannot be loaded (${asError(thrown).message.split('\n', 1)[0] ?? ''}): install it, or give store.url of a PostgreSQL`,
    );
  }
}

export interface OpenSqlite {
  readonly db: Database;
  readonly raw: RawSqlite;
  close(): void;
}

export interface SqliteOpening {
  readonly durability: Durability;
  readonly mustExist: boolean;
  /** Look the whole file through, unless it is very large. */
  readonly check: boolean;
}

/**
 * Opens the file, makes it where it is missing (unless `mustExist`), and brings it to this program's version. Throws SQLite's own
 * errors, `ZPB_STORE_NEWER`, `ZPB_STORE_OPEN`, or what the file system says.
 */
export async function openSqlite(
  Sqlite: Sqlite,
  path: string,
  { durability, mustExist, check }: SqliteOpening,
): Promise<OpenSqlite> {
  const there = statSync(path, { throwIfNoEntry: false });
  if (there?.isDirectory() === true) throw isNoFile(path);
  if (mustExist && there === undefined) throw noStoreYet(path);
  if (!mustExist) {
    makeFolder(dirname(path));
    // Calls and numbers of people are in it: nobody else's business. What SQLite makes beside it gets the same rights.
    closeSync(openSync(path, 'a', 0o600));
  }
  const raw = new Sqlite(path, { timeout: 0, fileMustExist: true });
  try {
    // Before the first table, or it has no effect.
    raw.pragma('auto_vacuum = incremental');
    raw.pragma('journal_mode = wal');
    raw.pragma(`synchronous = ${durability}`);
    raw.pragma(`journal_size_limit = ${LOG_BYTES}`);
    raw.pragma('temp_store = memory');
    if (check && statSync(path).size <= CHECKED_BYTES) mustBeSound(raw);
    const db = new Kysely<Schema>({ dialect: new ImmediateSqlite({ database: new KeptStatements(raw) }) });
    // Two processes that start at once migrate one after the other.
    raw.exec('begin immediate');
    try {
      await migrate(db, SQLITE);
      raw.exec('commit');
    } catch (thrown) {
      if (raw.inTransaction) raw.exec('rollback');
      throw thrown;
    }
    return {
      db,
      raw,
      close: () => {
        raw.close();
      },
    };
  } catch (thrown) {
    raw.close();
    throw thrown;
  }
}

function mustBeSound(raw: RawSqlite): void {
  const found = raw.pragma('quick_check(1)', { simple: true });
  if (found === 'ok') return;
  throw Object.assign(new Error(String(found).split('\n', 1)[0]), { code: 'SQLITE_CORRUPT' });
}

/** Kysely prepares each statement anew; that is half of the time of a small commit. */
class KeptStatements implements SqliteDatabase {
  readonly #kept = new Map<string, SqliteStatement>();
  constructor(private readonly raw: RawSqlite) {}

  prepare(sql: string): SqliteStatement {
    const kept = this.#kept.get(sql);
    if (kept !== undefined) return kept;
    const statement: SqliteStatement = this.raw.prepare(sql);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= STATEMENTS && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(sql, statement);
    return statement;
  }

  close(): void {
    this.raw.close();
  }
}

/** Transactions take the write lock when they begin: so a lock that is held by somebody else is met before anything was read. */
class ImmediateSqlite extends SqliteDialect {
  constructor(private readonly settings: SqliteDialectConfig & { readonly database: KeptStatements }) {
    super(settings);
  }
  override createDriver(): Driver {
    return new ImmediateDriver(this.settings);
  }
}

class ImmediateDriver extends SqliteDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    try {
      await connection.executeQuery(CompiledQuery.raw('rollback'));
    } catch {
      // SQLite has rolled back by itself (full disk, I/O error); what it said first is what counts.
    }
  }
}

/** With those above it. Step by step: where nothing can be made (`/proc`), Node's own recursive way goes round for ever. */
function makeFolder(path: string): void {
  if (isFolder(path)) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (thrown) {
    // Another process may have made it meanwhile.
    if (!isFolder(path)) throw thrown;
  }
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
