import type { Logger } from 'pino';
import { backoff } from '../backoff.js';
import type { Millis, PbxName } from '../call/vocabulary.js';
import { sleep, type Clock } from '../clock.js';
import { asError, PermanentError, RetriableError } from '../errors.js';
import type { Condition } from './condition.js';
import { batchOf, PendingRows, rowsOf, type Author, type Group, type Rows } from './pending-rows.js';
import type { Committed } from './protocol.js';
import type { Batch } from './rows.js';
import type { StoreMetrics, StoreTuning } from './settings.js';

export interface WriteQueueOptions {
  /** Settles when the worker has answered or ended, however long that takes. */
  readonly send: (batch: Batch) => Promise<Committed>;
  /** Other bridges may lead in our place: then nothing counts as safe that is not in the database. */
  readonly shared: boolean;
  readonly condition: Condition;
  /** Another bridge leads this PBX by now. */
  readonly onLost: (pbx: PbxName, epoch: number) => void;
  readonly tuning: StoreTuning;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics: StoreMetrics;
}

/**
 * Writes rows in their order: one commit is under way at a time, and the next takes all that has gathered meanwhile. A commit of
 * unknown outcome is sent again; that does no harm.
 */
export class WriteQueue {
  readonly #pending = new PendingRows();
  /** The batch under way. */
  #flying: Group[] = [];
  #running = false;
  #stopped = false;
  #wake = new AbortController();
  readonly #idle = new Set<() => void>();

  constructor(private readonly options: WriteQueueOptions) {}

  /** Rows not yet on the disk. */
  get unwritten(): number {
    return this.#pending.size + rowsOf(this.#flying);
  }

  /** seq of handed-in posts of which it is still to be written that they were taken up. */
  takenUp(): ReadonlySet<number> {
    return new Set([...this.#flying.flatMap(({ taken }) => taken), ...this.#pending.taken()]);
  }

  /** Throws a RetriableError `ZPB_OUTBOX_FULL` when `rows` more would be too many. */
  reserve(rows: number): void {
    const { rows: most } = this.options.tuning;
    if (this.unwritten + rows <= most) return;
    throw new RetriableError(
      'ZPB_OUTBOX_FULL',
      `The store does not take what is written to it, and memory holds all it may (${most} rows): mend the store`,
    );
  }

  /** Resolves when the rows are safe, or the store goes on without its disk and has said so. */
  put(author: Author, rows: Rows): Promise<void> {
    const group = this.#pending.add(author, rows, this.options.clock.monotonic());
    this.#show();
    void this.#run();
    if (this.#goesOnWithoutDisk) return Promise.resolve();
    return new Promise((resolve, reject) => {
      group.waiters.push({ resolve, reject });
    });
  }

  /** What failed is tried again now. */
  kick(): void {
    this.#wake.abort();
    this.#wake = new AbortController();
  }

  /** Resolves when nothing is to be written any more, or after `ms`; says which. */
  async flush(ms: Millis): Promise<boolean> {
    if (this.unwritten === 0) return true;
    this.kick();
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        this.#idle.delete(done);
        resolve(this.unwritten === 0);
      };
      const cancel = this.options.clock.after(ms, done);
      this.#idle.add(done);
    });
  }

  /** Another bridge leads: what is not written for this author never will be. */
  discard(author: Author): void {
    const { epoch } = author;
    const flying = this.#flying.filter((group) => group.author.epoch === epoch);
    this.#flying = this.#flying.filter((group) => group.author.epoch !== epoch);
    this.#lose([...this.#pending.drop(author), ...flying]);
    this.#show();
  }

  /** Nothing is written any more; who still waits is told so. Returns how many rows are lost. */
  stop(): number {
    this.#stopped = true;
    const left = [...this.#flying, ...this.#pending.drop()];
    this.#flying = [];
    const error = new PermanentError('ZPB_OUTBOX_CLOSED', 'The store was closed before this was written');
    for (const { reject } of left.flatMap((group) => group.waiters.splice(0))) reject(error);
    this.kick();
    this.#show();
    return rowsOf(left);
  }

  get #goesOnWithoutDisk(): boolean {
    return !this.options.shared && this.options.condition.state.state === 'memory';
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    // What else this turn of the event loop writes shares the commit.
    await Promise.resolve();
    while (!this.#pending.empty && !this.#stopped) {
      this.#flying = this.#pending.take(this.options.tuning.batch);
      await this.#write();
      this.#flying = [];
      this.#show();
    }
    this.#running = false;
    if (this.unwritten === 0 || this.#stopped) for (const done of [...this.#idle]) done();
  }

  /** Until the batch under way is written, or nobody wants that any more. */
  async #write(): Promise<void> {
    const { clock, tuning, random } = this.options;
    const cancel = clock.after(tuning.answer, () => {
      this.#degrade('the disk does not answer');
    });
    for (let failures = 0; this.#flying.length > 0 && !this.#stopped; ) {
      const groups = this.#flying;
      if (await this.#sent(groups)) break;
      failures += 1;
      // The first time perhaps only the worker had died.
      if (failures > 1) await sleep(clock, backoff(tuning.retry, failures - 1, random()), this.#wake.signal);
    }
    cancel();
  }

  async #sent(groups: readonly Group[]): Promise<boolean> {
    const { clock, condition, metrics } = this.options;
    const began = clock.monotonic();
    let committed: Committed;
    try {
      committed = await this.options.send(batchOf(groups));
    } catch (thrown) {
      const error = asError(thrown);
      if (!('code' in error) || error.code !== 'ZPB_STORE_WORKER') this.#degrade(error.message);
      return false;
    }
    metrics.count('store_commits_total', { where: committed.where });
    metrics.count('store_commit_seconds_total', {}, Math.max(0, clock.monotonic() - began) / 1000);
    if (committed.where === 'nowhere') {
      this.#degrade(committed.reason ?? 'unknown');
      return false;
    }
    if (committed.where === 'spill') condition.trouble('spilling', committed.reason ?? 'unknown');
    else if (!this.#stopped) condition.well();
    const isLost = ({ author }: Group): boolean => committed.lost.includes(author.pbx);
    const lost = this.#flying.filter(isLost);
    this.#flying = this.#flying.filter((group) => !isLost(group));
    this.#lose(lost);
    const authors = new Map(lost.map(({ author: { pbx, epoch } }) => [pbx, epoch]));
    for (const [pbx, epoch] of authors) this.options.onLost(pbx, epoch);
    this.#flying = [];
    for (const { resolve } of groups.flatMap((group) => group.waiters.splice(0))) resolve();
    return true;
  }

  /** It is not written. Nobody waits for that where no other machine can go on in our place. */
  #degrade(reason: string): void {
    if (this.#stopped) return;
    this.options.condition.trouble(this.options.shared ? 'gone' : 'memory', reason);
    if (this.options.shared) return;
    for (const group of this.#flying) for (const { resolve } of group.waiters.splice(0)) resolve();
    for (const { resolve } of this.#pending.waiters()) resolve();
  }

  #lose(groups: readonly Group[]): void {
    for (const pbx of new Set(groups.map(({ author }) => author.pbx))) {
      const rows = rowsOf(groups.filter(({ author }) => author.pbx === pbx));
      this.options.metrics.count('store_discarded_rows_total', { pbx }, rows);
      this.options.log.error(
        { pbx, rows },
        `store: ${rows} rows of PBX ${pbx} were not written, because another bridge leads it`,
      );
    }
    for (const group of groups) {
      for (const { reject } of group.waiters.splice(0)) reject(notLeading(group.author.pbx));
    }
  }

  #show(): void {
    this.options.metrics.gauge('store_unwritten_rows', this.unwritten);
  }
}

export const notLeading = (pbx: PbxName): PermanentError =>
  new PermanentError(
    'ZPB_STORE_NOT_LEADING',
    `This bridge does not lead PBX ${pbx} any more: another one goes on with its calls and posts`,
  );
