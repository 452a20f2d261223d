/** What is open of the PBXs that are led here, kept in memory; every change of it is written. */
import type { Logger } from 'pino';
import { setImmediate as turnOver } from 'node:timers/promises';
import type { CallRecord } from '../call/call-record.js';
import type { CallId, Millis } from '../call/vocabulary.js';
import type { Clock } from '../clock.js';
import { asError, isBridgeError, RetriableError } from '../errors.js';
import { chunks } from './chunks.js';
import type { DurableLead } from './durable-lead.js';
import { knowledgeOf } from './knowledge.js';
import { OpenPosts, readableItems } from './open-posts.js';
import type { DeliveryState, Outbox, OutboxItem } from './outbox.js';
import type { Rows } from './pending-rows.js';
import type { Input, OperationName, Output } from './protocol.js';
import { callRow, itemOf, postRow, recordIn, type CallRow, type PostRow } from './rows.js';
import type { StoreMetrics } from './settings.js';
import type { CallKnowledge, Heritage, Turn } from './store.js';
import { notLeading, type WriteQueue } from './write-queue.js';
import { seqOf } from './seq.js';

/** The ids of calls that are over matter for a day: a leg that lives on must not start another call of the same id. */
const ROOTS_MS = 24 * 3_600_000;
/** A leg whose call is over does not live on for longer. */
const AFTERMATH_MS = 3_600_000;
/** Rows that are read in one turn of the event loop. */
const PAGE = 500;

export interface DurableOutboxOptions {
  readonly queue: WriteQueue;
  /** Asks the worker. Rejects with ZPB_OUTBOX_CLOSED after the store was closed. */
  readonly ask: <Name extends OperationName>(name: Name, input: Input<Name>) => Promise<Output<Name>>;
  /** Throws ZPB_OUTBOX_CLOSED then. */
  readonly mustBeOpen: () => void;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: StoreMetrics;
  /** Posts not yet delivered at most. */
  readonly openPosts: number;
  /** How long a read waits for what is still to be written, ms. */
  readonly answer: Millis;
}

export class DurableOutbox implements Outbox {
  readonly #open = new OpenPosts();

  constructor(private readonly options: DurableOutboxOptions) {}

  async attempt(seq: number): Promise<void> {
    const lead = this.#leadOf(seq);
    this.options.queue.reserve(1);
    await this.#put(lead, { posts: [this.#open.attempt(seq, this.options.clock.wall())] });
  }

  async settle(seq: number, state: Exclude<DeliveryState, 'sending'>, reason?: string): Promise<void> {
    const lead = this.#leadOf(seq);
    await this.#put(lead, { posts: [this.#open.settle(seq, state, reason, this.options.clock.wall())] });
  }

  async commit(lead: DurableLead, { calls, posts }: Turn): Promise<readonly OutboxItem[]> {
    this.#mustLead(lead);
    if (calls.length + posts.length === 0) return [];
    this.options.queue.reserve(calls.length + posts.length);
    this.#reservePosts(posts.length);
    const now = this.options.clock.wall();
    const postRows = posts.map((post) => postRow(post, seqOf(lead.epoch, (lead.posts += 1)), now));
    const callRows = calls.map((change) => callRow(lead.pbx, change, now));
    for (const row of callRows) {
      if (row.record === null) lead.calls.delete(row.call_id);
      else lead.calls.set(row.call_id, row);
    }
    this.#open.put(lead, postRows);
    await this.#put(lead, { calls: callRows, posts: postRows });
    return postRows.map(itemOf);
  }

  async load(lead: DurableLead): Promise<Heritage> {
    this.#mustLead(lead);
    await this.#written();
    const now = this.options.clock.wall();
    const window = { since: now - ROOTS_MS, justNow: now - AFTERMATH_MS };
    const { calls: rows, roots, aftermath } = await this.options.ask('load', { pbx: lead.pbx, ...window });
    this.#mustLead(lead);
    const ids = new Set<CallId>();
    const calls = await this.#calls(lead, rows, ids);
    const posts = await this.#openPosts(lead, ids);
    return { calls, roots, aftermath, posts, newCalls: await this.#newCalls(lead, [...ids]) };
  }

  async #calls(lead: DurableLead, rows: readonly CallRow[], ids: Set<CallId>): Promise<Heritage['calls']> {
    const calls: CallRecord[] = [];
    for (const part of chunks(rows, PAGE)) {
      for (const row of part) {
        ids.add(row.call_id);
        lead.calls.set(row.call_id, row);
        const record = this.#recordOf(row);
        if (record !== undefined) calls.push(record);
      }
      await turnOver();
      this.#mustLead(lead);
    }
    return calls;
  }

  /** A page at a time, so that the main thread does not stand still, however many they are. */
  async #openPosts(lead: DurableLead, ids: Set<CallId>): Promise<readonly OutboxItem[]> {
    const items: OutboxItem[] = [];
    for (let after = -1, more = true; more; ) {
      const page = await this.options.ask('openPosts', { pbx: lead.pbx, after, limit: PAGE });
      this.#mustLead(lead);
      this.#takeUp(lead, page);
      for (const { call_id } of page) ids.add(call_id);
      items.push(...readableItems(page));
      more = page.length === PAGE;
      after = page.at(-1)?.seq ?? after;
      await turnOver();
      this.#mustLead(lead);
    }
    return items;
  }

  async #newCalls(lead: DurableLead, ids: readonly CallId[]): Promise<readonly OutboxItem[]> {
    const items: OutboxItem[] = [];
    for (const callIds of chunks(ids, PAGE)) {
      items.push(...readableItems(await this.options.ask('newCalls', { pbx: lead.pbx, callIds })));
      await turnOver();
      this.#mustLead(lead);
    }
    return items.sort((a, b) => a.seq - b.seq);
  }

  async handedIn(lead: DurableLead): Promise<readonly OutboxItem[]> {
    this.#mustLead(lead);
    // What was taken up, and perhaps settled, is read as handed in until that is written; also if it is written while we read.
    const takenUp = this.options.queue.takenUp();
    const read = await this.options.ask('handedIn', { pbx: lead.pbx }).catch((thrown: unknown) => {
      // What cannot be read now is asked for again soon.
      if (isBridgeError(thrown) && thrown.retriable) return [];
      throw asError(thrown);
    });
    this.#mustLead(lead);
    const takenUpSince = this.options.queue.takenUp();
    const rows = read.filter(({ seq }) => !takenUp.has(seq) && !takenUpSince.has(seq));
    const fresh = rows.filter(({ seq }) => !this.#open.has(seq));
    this.#takeUp(lead, rows);
    return readableItems(fresh);
  }

  async knowledge(callIds: readonly CallId[]): Promise<readonly CallKnowledge[]> {
    this.options.mustBeOpen();
    await this.#written();
    return knowledgeOf(callIds, await this.options.ask('knowledge', callIds));
  }

  async drop(lead: DurableLead, seqs: readonly number[]): Promise<void> {
    this.#mustLead(lead);
    await this.#written();
    await this.options.ask('drop', seqs);
  }

  async pbxs(): Promise<Output<'pbxs'>> {
    this.options.mustBeOpen();
    await this.#written();
    return this.options.ask('pbxs', undefined);
  }

  /** Writes all that is open once more: the database is a new one. */
  async putAgain(lead: DurableLead): Promise<void> {
    await this.#put(lead, { calls: [...lead.calls.values()], posts: this.#open.of(lead) });
  }

  /** The PBX is led anew: what an ended lead had open is not asked for any more. */
  forgetEnded(pbx: string): void {
    this.#open.forgetEnded(pbx);
  }
  clear(): void {
    this.#open.clear();
  }

  #put(lead: DurableLead, { calls = [], posts = [], taken = [] }: Partial<Rows>): Promise<void> {
    return this.options.queue.put(lead, { calls, posts, taken });
  }

  /** Posts from outside, or of an earlier run, that are kept as open from now on. */
  #takeUp(lead: DurableLead, rows: readonly PostRow[]): void {
    const fresh = rows.filter(({ seq }) => !this.#open.has(seq));
    this.#open.put(
      lead,
      fresh.map((row): PostRow => ({ ...row, handed_in: 0 })),
    );
    const taken = rows.filter((row) => row.handed_in === 1).map(({ seq }) => seq);
    if (taken.length === 0) return;
    // Nobody waits for it: it is written before anything else about these posts.
    this.#put(lead, { taken }).catch((thrown: unknown) => {
      const error = asError(thrown);
      this.options.log.debug({ pbx: lead.pbx, error }, 'store: it was not written that posts were taken up');
    });
  }

  #recordOf(row: CallRow): CallRecord | undefined {
    const record = recordIn(row);
    if (record !== undefined && record.version !== 0) return record;
    const outcome = record === undefined ? 'cannot be read' : 'is damaged; the call is closed';
    this.options.metrics.count('store_unreadable_calls_total', { pbx: row.pbx });
    this.options.log.error({ callId: row.call_id }, `store: what was kept of a call ${outcome}`);
    return record;
  }

  /** What was committed is to be seen by what is read next. */
  async #written(): Promise<void> {
    if (await this.options.queue.flush(this.options.answer)) return;
    throw new RetriableError(
      'ZPB_STORE_UNAVAILABLE',
      'The store cannot be read now: what is in memory only is newer than what is on the disk',
    );
  }

  #leadOf(seq: number): DurableLead {
    this.options.mustBeOpen();
    const { lead } = this.#open.get(seq);
    this.#mustLead(lead);
    return lead;
  }
  #mustLead({ pbx, ended }: DurableLead): void {
    this.options.mustBeOpen();
    if (ended.aborted) throw notLeading(pbx);
  }
  #reservePosts(count: number): void {
    const { openPosts: most } = this.options;
    if (this.#open.size + count <= most) return;
    throw new RetriableError(
      'ZPB_OUTBOX_FULL',
      `The outbox is full (${most} posts not yet delivered): mend the Zammad that does not take them`,
    );
  }
}
