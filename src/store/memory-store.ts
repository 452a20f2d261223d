/** The store without a disk: what is in it is lost with the process. For the demo, tests, and where SQLite cannot be had. */
import type { CallId, PbxName } from '../call/vocabulary.js';
import { PermanentError, RetriableError } from '../errors.js';
import { MemoryCredentials } from './memory-credentials.js';
import { MemoryAgentStates } from './memory-agent-states.js';
import type { DeliveryState, Outbox, OutboxItem } from './outbox.js';
import { seqOf } from './seq.js';
import type { CallChange, CallKnowledge, Heritage, Lead, LedElsewhere, Store, StoreState, Turn } from './store.js';

export interface MemoryStoreSettings {
  /** Posts held at most, the troubled ones included. */
  readonly limit: number;
}

const DEFAULT_LIMIT = 100_000;

/**
 * Delivered posts are dropped at once. When it is full, the oldest dead or unknown ones make room; when there are none,
 * `commit` rejects with a RetriableError `ZPB_OUTBOX_FULL`, and the caller counts what it could not keep.
 */
export const createMemoryStore = ({ limit }: MemoryStoreSettings = { limit: DEFAULT_LIMIT }): Store =>
  new MemoryStore(limit);

class MemoryStore implements Store, Outbox {
  readonly kind = 'memory';
  readonly state: StoreState = { state: 'ok' };
  readonly unwritten = 0;
  readonly outbox = this;
  readonly credentials = new MemoryCredentials();
  readonly agentStates = new MemoryAgentStates();
  readonly #limit: number;
  /** By seq, in order of commitment: waiting and sending. */
  readonly #open = new Map<number, OutboxItem>();
  /** By seq, in order of trouble: dead and unknown. */
  readonly #troubled = new Map<number, OutboxItem>();
  /** Those that are not over. */
  readonly #calls = new Map<CallId, CallChange & { readonly pbx: PbxName }>();
  readonly #leads = new Map<PbxName, MemoryLead>();
  #epoch = 0;
  #posts = 0;
  #closed = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  lead(pbx: PbxName): Promise<Lead | LedElsewhere> {
    return this.run(() => {
      if (this.#leads.has(pbx)) return { holder: 'this process' };
      this.#epoch += 1;
      const lead = new MemoryLead(this, pbx, this.#epoch);
      this.#leads.set(pbx, lead);
      return lead;
    });
  }

  pbxs(): Promise<readonly PbxName[]> {
    return this.run(() => [...new Set([...this.#calls.values(), ...this.#open.values()].map(({ pbx }) => pbx))]);
  }

  attempt(seq: number): Promise<void> {
    return this.run(() => {
      const item = this.#known(seq);
      this.#open.set(seq, Object.freeze({ ...item, state: 'sending', attempts: item.attempts + 1 }));
    });
  }

  settle(seq: number, state: Exclude<DeliveryState, 'sending'>, reason?: string): Promise<void> {
    return this.run(() => {
      const settled: OutboxItem = Object.freeze({ ...this.#known(seq), state, reason });
      if (state === 'waiting') {
        this.#open.set(seq, settled);
        return;
      }
      this.#open.delete(seq);
      if (state === 'delivered') return;
      this.#troubled.set(seq, settled);
      this.#makeRoom();
    });
  }

  close(): Promise<void> {
    this.#closed = true;
    for (const lead of this.#leads.values()) lead.end();
    for (const kept of [this.#leads, this.#open, this.#troubled, this.#calls, this.credentials, this.agentStates])
      kept.clear();
    return Promise.resolve();
  }

  // ------------------------------------------------------------------ for its leads

  /** What the interface promises to reject with is thrown in `task`. */
  run<T>(task: () => T): Promise<T> {
    return new Promise((resolve) => {
      if (this.#closed) {
        throw new PermanentError('ZPB_OUTBOX_CLOSED', 'The store is closed: nothing can be written any more');
      }
      resolve(task());
    });
  }

  release(lead: MemoryLead): void {
    if (this.#leads.get(lead.pbx) === lead) this.#leads.delete(lead.pbx);
    lead.end();
  }

  heritage(pbx: PbxName): Heritage {
    const posts = [...this.#open.values()].filter((item) => item.pbx === pbx);
    const calls = [...this.#calls.values()].filter((call) => call.pbx === pbx);
    return {
      calls: calls.flatMap(({ record }) => record ?? []),
      roots: calls.map(({ root, ordinal }) => ({ root, count: ordinal })),
      aftermath: [],
      posts,
      newCalls: posts.filter(({ post }) => post.event === 'newCall'),
    };
  }

  commit(lead: MemoryLead, { calls, posts }: Turn): readonly OutboxItem[] {
    if (this.#open.size + posts.length > this.#limit) {
      throw new RetriableError(
        'ZPB_OUTBOX_FULL',
        `The outbox in memory is full (${this.#limit} posts not yet delivered): mend the Zammad that does not take them`,
      );
    }
    for (const change of calls) {
      if (change.record === undefined) this.#calls.delete(change.callId);
      else this.#calls.set(change.callId, { ...change, pbx: lead.pbx });
    }
    const items = posts.map((post): OutboxItem => {
      this.#posts += 1;
      return Object.freeze({
        ...post,
        seq: seqOf(lead.epoch, this.#posts),
        state: 'waiting',
        attempts: 0,
      });
    });
    for (const item of items) this.#open.set(item.seq, item);
    this.#makeRoom();
    return items;
  }

  knowledge(callIds: readonly CallId[]): readonly CallKnowledge[] {
    const posts = [...this.#open.values(), ...this.#troubled.values()].sort((a, b) => a.seq - b.seq);
    return callIds.map((callId) => ({
      callId,
      open: this.#calls.has(callId),
      posts: posts.filter((item) => item.callId === callId),
    }));
  }

  drop(seqs: readonly number[]): void {
    for (const seq of seqs) this.#troubled.delete(seq);
  }

  #known(seq: number): OutboxItem {
    const item = this.#open.get(seq);
    if (item !== undefined) return item;
    throw new PermanentError('ZPB_OUTBOX_NO_SUCH_POST', `The outbox has no open post ${seq}: it was settled before`);
  }

  #makeRoom(): void {
    for (const seq of this.#troubled.keys()) {
      if (this.#open.size + this.#troubled.size <= this.#limit) return;
      this.#troubled.delete(seq);
    }
  }
}

/** Nobody else can take it over, so it holds until it is released. */
class MemoryLead implements Lead {
  readonly until = Infinity;
  readonly wanted = false;
  readonly #ended = new AbortController();

  constructor(
    private readonly store: MemoryStore,
    readonly pbx: PbxName,
    readonly epoch: number,
  ) {}

  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  load(): Promise<Heritage> {
    return this.#asked(() => this.store.heritage(this.pbx));
  }

  commit(turn: Turn): Promise<readonly OutboxItem[]> {
    return this.#asked(() => this.store.commit(this, turn));
  }

  /** Nobody can hand anything in from outside. */
  handedIn(): Promise<readonly OutboxItem[]> {
    return Promise.resolve([]);
  }

  knowledge(callIds: readonly CallId[]): Promise<readonly CallKnowledge[]> {
    return this.#asked(() => this.store.knowledge(callIds));
  }

  drop(seqs: readonly number[]): Promise<void> {
    return this.#asked(() => {
      this.store.drop(seqs);
    });
  }

  release(): Promise<void> {
    this.store.release(this);
    return Promise.resolve();
  }

  end(): void {
    this.#ended.abort();
  }

  #asked<T>(task: () => T): Promise<T> {
    return this.store.run(() => {
      if (this.#ended.signal.aborted) {
        throw new PermanentError('ZPB_STORE_NOT_LEADING', `The lead of PBX ${this.pbx} was given up`);
      }
      return task();
    });
  }
}
