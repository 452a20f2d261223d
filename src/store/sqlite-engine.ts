/**
 * The store in one SQLite file, in the worker: one operation after the other. A write that the database does not take in time goes to
 * the spill file, until the database has taken all that is there.
 */
import { backoff } from '../backoff.js';
import { sleep, systemClock } from '../clock.js';
import type { PbxName } from '../call/vocabulary.js';
import { isBridgeError } from '../errors.js';
import { livingOwner, livingOwnerIn, type LeaseTerms } from './leases.js';
import { ROW_OPERATIONS, rowOperations } from './perform.js';
import type { Committed, Engine, Input, OperationName, Output, WorkerEvent, WorkerSettings } from './protocol.js';
import type { Batch } from './rows.js';
import { finishReplacing, openOf, replaceFile, salvage, withLeads, type Salvaged } from './salvage.js';
import { SQLITE, type Database } from './schema.js';
import { SpillFile } from './spill-file.js';
import { loadSqlite, openSqlite, type OpenSqlite, type Sqlite } from './sqlite-database.js';
import { cannotOpen, inWords, troubleOf, unavailable } from './sqlite-trouble.js';
import { putBack, takeOver } from './spilled-batches.js';
import { merged, newest } from './spilled-rows.js';

/** How long anything but a commit waits for a lock, ms. */
const READ_PATIENCE_MS = 1_000;
/** Behind what waits longer while the database is locked, commits would wait too. */
const DRAIN_PATIENCE_MS = 20;
/** The same when the file is opened. */
const OPEN_PATIENCE_MS = 5_000;
const RETRY_LOCK_MS = 10;
/** Given back to the file system in one go. */
const FREED_PAGES = 500;

export interface SqliteEngineSettings extends WorkerSettings {
  readonly database: Extract<WorkerSettings['database'], { kind: 'sqlite' }>;
}

export class SqliteEngine implements Engine {
  readonly #spill: SpillFile;
  readonly #terms: LeaseTerms;
  #sqlite: Sqlite | undefined;
  #open: OpenSqlite | undefined;
  /** The spill file is ours, and what an earlier process left in it is in the database. */
  #owner = false;
  /** The whole file was looked through once; later damage is met where it is. */
  #checked = false;
  #spilling = false;
  #reason = '';
  #retries = 0;
  /** Our leads, as far as this worker has heard of them: a file that is made anew must know them. */
  readonly #leads = new Map<PbxName, number>();
  #last: Promise<unknown> = Promise.resolve();
  #cancelRetry: () => void = () => undefined;
  #closed = false;

  constructor(
    private readonly settings: SqliteEngineSettings,
    private readonly emit: (event: WorkerEvent) => void,
  ) {
    const { path, spillBytes } = settings.database;
    this.#spill = new SpillFile(`${path}-spill`, spillBytes);
    const { holder, address, ttl } = settings;
    this.#terms = { dialect: SQLITE, holder, address, ttl };
  }

  perform<Name extends OperationName>(name: Name, input: Input<Name>): Promise<Output<Name>> {
    return this.#inTurn(() => this.#perform(name, input));
  }

  /** One after the other, whatever became of those before. */
  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const next = this.#last.then(task, task);
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #perform<Name extends OperationName>(name: Name, input: Input<Name>): Promise<Output<Name>> {
    const operations: Record<OperationName, (input: never) => Promise<unknown>> = {
      ...rowOperations((task) => this.#rows(task), this.#terms),
      open: () => this.#patiently(OPEN_PATIENCE_MS, () => Promise.resolve(undefined)),
      commit: (batch: Batch) => this.#commit(batch),
      acquire: (lead: Input<'acquire'>) => this.#acquire(lead),
      // Where the database is locked the lead holds all the same.
      renew: (leads: Input<'renew'>) => this.#patiently(0, (db) => this.#renew(db, leads)),
      release: (lead: Input<'release'>) => {
        this.#leads.delete(lead.pbx);
        return this.#rows((db) => ROW_OPERATIONS.release(db, this.#terms, lead));
      },
      clean: (input: Input<'clean'>) => this.#clean(input),
      close: () => this.#close(),
    };
    return (await operations[name](input as never)) as Output<Name>;
  }

  /** Reads, and small writes: not beside what lies in the spill file, which is newer than the database. */
  async #rows<T>(task: (db: Database) => Promise<T>): Promise<T> {
    try {
      if (this.#spilling) await this.#drain();
      return await this.#patiently(READ_PATIENCE_MS, task);
    } catch (thrown) {
      throw isBridgeError(thrown) ? thrown : unavailable(this.settings.database.path, thrown);
    }
  }

  async #acquire(input: Input<'acquire'>): Promise<Output<'acquire'>> {
    const acquired = await this.#rows((db) => ROW_OPERATIONS.acquire(db, this.#terms, input));
    if ('holder' in acquired) {
      this.#owner = false;
      return acquired;
    }
    // While we had no lead, another process may have had one: what it has left comes before anything is read.
    if (!this.#owner || this.#leads.size === 0) await this.#rows((db) => this.#own(db));
    this.#leads.set(input.pbx, acquired.epoch);
    return acquired;
  }

  /** A renewal need not survive a power cut: the disk is not made to write for it, every second and a half. */
  async #renew(db: Database, leads: Input<'renew'>): Promise<Output<'renew'>> {
    const raw = this.#open?.raw;
    raw?.pragma('synchronous = normal');
    try {
      const renewed = await ROW_OPERATIONS.renew(db, this.#terms, leads);
      this.#forget(renewed.filter(({ kept }) => !kept).map(({ pbx }) => pbx));
      return renewed;
    } finally {
      raw?.pragma(`synchronous = ${this.settings.durability}`);
    }
  }

  async #clean(input: Input<'clean'>): Promise<number> {
    const removed = await this.#rows((db) => ROW_OPERATIONS.clean(db, this.#terms, input));
    // The room goes back to the disk, a little at a time. Not through Kysely: a prepared statement would free one page.
    if (removed > 0) this.#open?.raw.exec(`pragma incremental_vacuum(${FREED_PAGES})`);
    return removed;
  }

  async #commit(batch: Batch): Promise<Committed> {
    for (const { pbx, epoch } of batch.epochs) this.#leads.set(pbx, epoch);
    if (!this.#spilling) {
      try {
        const task = (db: Database): ReturnType<typeof ROW_OPERATIONS.commit> =>
          ROW_OPERATIONS.commit(db, this.#terms, batch);
        const lost = await this.#patiently(this.settings.database.patience, task);
        this.#forget(lost);
        return { where: 'database', lost };
      } catch (thrown) {
        this.#reason = inWords(thrown);
      }
    }
    // Another process may use it: then nothing of ours belongs there, and what stands there is to be kept.
    if (!this.#owner) return { where: 'nowhere', reason: this.#reason, lost: [] };
    try {
      this.#spill.append(batch);
    } catch (thrown) {
      return { where: 'nowhere', reason: `${this.#reason}; emergency journal: ${inWords(thrown)}`, lost: [] };
    }
    if (!this.#spilling) {
      this.#spilling = true;
      this.#retries = 0;
      this.#planRetry();
    }
    return { where: 'spill', reason: this.#reason, lost: [] };
  }

  /** Puts what is in the spill file into the database. Rejects when that does not take it. */
  async #drain(): Promise<void> {
    const batches = await this.#patiently(DRAIN_PATIENCE_MS, (db) => putBack(db, this.#spill));
    this.#spilling = false;
    this.#owner &&= batches !== undefined;
    this.#cancelRetry();
    this.emit({ kind: 'drained', batches: batches ?? 0 });
  }

  /** Others lead there. */
  #forget(pbxs: readonly PbxName[]): void {
    for (const pbx of pbxs) this.#leads.delete(pbx);
  }

  #planRetry(): void {
    this.#cancelRetry();
    if (this.#closed) return;
    this.#retries += 1;
    const pause = backoff(this.settings.retry, this.#retries, Math.random());
    this.#cancelRetry = systemClock.after(pause, () => {
      void this.#inTurn(async () => {
        if (!this.#spilling) return;
        try {
          await this.#drain();
        } catch (thrown) {
          this.#reason = inWords(thrown);
          this.#planRetry();
        }
      });
    });
  }

  /** Runs a task on the open database; waits `patience` ms for a lock to go, and mends a damaged file once. */
  async #patiently<T>(patience: number, task: (db: Database) => Promise<T>): Promise<T> {
    const deadline = systemClock.monotonic() + patience;
    let mended = false;
    for (;;) {
      try {
        return await task((await this.#opened()).db);
      } catch (thrown) {
        const trouble = isBridgeError(thrown) ? undefined : troubleOf(thrown);
        if (trouble === 'damaged' && !mended) {
          mended = true;
          await this.#mend(thrown);
          continue;
        }
        if (trouble === 'busy' && systemClock.monotonic() < deadline) {
          await sleep(systemClock, RETRY_LOCK_MS);
          continue;
        }
        // Whatever else it is: the next try begins with a connection of its own.
        if (trouble !== undefined && trouble !== 'busy' && trouble !== 'full') this.#shut();
        throw thrown;
      }
    }
  }

  async #opened(): Promise<OpenSqlite> {
    if (this.#open !== undefined) return this.#open;
    const { path, visitor } = this.settings.database;
    this.#sqlite ??= await loadSqlite();
    try {
      if (!visitor) finishReplacing(path);
      const { durability } = this.settings;
      this.#open = await openSqlite(this.#sqlite, path, { durability, mustExist: visitor, check: !this.#checked });
      this.#checked = true;
      if (!this.#owner && (await livingOwner(this.#open.db, this.#terms)) === undefined) await this.#own(this.#open.db);
      return this.#open;
    } catch (thrown) {
      this.#shut();
      if (!isBridgeError(thrown) && ['barred', 'other'].includes(troubleOf(thrown))) throw cannotOpen(path, thrown);
      throw thrown;
    }
  }

  /** The spill file becomes ours; what is in it goes into the database before anything is read. */
  async #own(db: Database): Promise<void> {
    const batches = await takeOver(db, this.#spill);
    if (batches > 0) this.emit({ kind: 'drained', batches });
    this.#owner = true;
    if (this.settings.database.visitor) return;
    try {
      this.#spill.prepare();
    } catch {
      // Tried again when it is needed; a full disk must not keep us from starting.
    }
  }

  async #mend(thrown: unknown): Promise<void> {
    const { path, visitor } = this.settings.database;
    const reason = inWords(thrown);
    if (visitor) throw cannotOpen(path, new Error(`it is damaged (${reason}); the bridge mends it when it runs`));
    this.#shut();
    this.#sqlite ??= await loadSqlite();
    const now = systemClock.wall();
    const found = salvage(this.#sqlite, path, now);
    const owner = livingOwnerIn(found.leases, this.#terms.holder, now);
    if (owner !== undefined) throw cannotOpen(path, new Error(`it is damaged (${reason}), and ${owner} uses it`));
    const whole = this.#withSpill(withLeads(found, this.#leads, { ...this.#terms, now }));
    const aside = await replaceFile(this.#sqlite, path, whole, now);
    this.emit({ kind: 'salvaged', reason, aside, ...openOf(whole) });
  }

  /** Which generation of the spill file counts stands in the counter; without it the newer of two rows does. */
  #withSpill(found: Salvaged): Salvaged {
    const counter = (value: number): Salvaged['counters'][number] => ({ name: 'spill', value });
    const others = found.counters.filter(({ name }) => name !== 'spill');
    if (this.#owner && this.#leads.size > 0)
      return { ...found, counters: [...others, counter(this.#spill.generation - 1)] };
    if (others.length < found.counters.length) return found;
    const generation = this.#spill.found();
    if (generation === undefined) return found;
    const { calls, posts } = merged(this.#spill.use(generation));
    return {
      ...found,
      calls: newest([...found.calls, ...calls], ({ call_id }) => call_id),
      posts: newest([...found.posts, ...posts], ({ seq }) => seq),
      counters: [...others, counter(generation)],
    };
  }

  #shut(): void {
    try {
      this.#open?.close();
    } catch {
      // Whatever is wrong with it, it is opened anew.
    }
    this.#open = undefined;
  }

  async #close(): Promise<undefined> {
    this.#closed = true;
    this.#cancelRetry();
    if (this.#spilling) await this.#drain().catch(() => undefined);
    this.#shut();
    this.#spill.close();
    return undefined;
  }
}
