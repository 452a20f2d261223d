import type { CallId, Millis, PbxName } from '../call/vocabulary.js';
import type { CallRow } from './rows.js';
import type { CallKnowledge, Heritage, Lead, Turn } from './store.js';
import type { OutboxItem } from './outbox.js';

/** What a lead needs of its store. */
export interface LeadKeeper {
  readonly outbox: {
    load(lead: DurableLead): Promise<Heritage>;
    commit(lead: DurableLead, turn: Turn): Promise<readonly OutboxItem[]>;
    handedIn(lead: DurableLead): Promise<readonly OutboxItem[]>;
    knowledge(callIds: readonly CallId[]): Promise<readonly CallKnowledge[]>;
    drop(lead: DurableLead, seqs: readonly number[]): Promise<void>;
  };
  readonly release: (lead: DurableLead) => Promise<void>;
}

export class DurableLead implements Lead {
  until: Millis;
  wanted = false;
  /** Posts given a number so far. */
  posts = 0;
  /** The open calls as they were last written: a database that is made anew gets them again. */
  readonly calls = new Map<CallId, CallRow>();
  readonly #ended = new AbortController();

  constructor(
    private readonly keeper: LeadKeeper,
    readonly pbx: PbxName,
    readonly epoch: number,
    until: Millis,
  ) {
    this.until = until;
  }

  get ended(): AbortSignal {
    return this.#ended.signal;
  }
  load(): Promise<Heritage> {
    return this.keeper.outbox.load(this);
  }
  commit(turn: Turn): Promise<readonly OutboxItem[]> {
    return this.keeper.outbox.commit(this, turn);
  }
  handedIn(): Promise<readonly OutboxItem[]> {
    return this.keeper.outbox.handedIn(this);
  }
  knowledge(callIds: readonly CallId[]): Promise<readonly CallKnowledge[]> {
    return this.keeper.outbox.knowledge(callIds);
  }
  drop(seqs: readonly number[]): Promise<void> {
    return this.keeper.outbox.drop(this, seqs);
  }
  release(): Promise<void> {
    return this.keeper.release(this);
  }

  end(): void {
    this.until = -Infinity;
    this.wanted = false;
    this.#ended.abort();
  }
}
