/** An outbox in memory, with what only tests do: commit, and look into it. Numbers rise within an epoch, as the store's do. */
import { PermanentError } from '../../src/errors.js';
import type { DeliveryState, NewOutboxItem, Outbox, OutboxItem } from '../../src/store/outbox.js';

export class FakeOutbox implements Outbox {
  /** By seq; what was delivered stays. */
  readonly items: Map<number, OutboxItem>;
  /** Who leads; another one than what a post was committed under is nothing to this fake. */
  epoch = 1;
  /** Every write is refused as by a store that another bridge leads in. */
  notLeading = false;
  #n = 0;

  /** @param same another one's view of the same posts, for a second bridge. */
  constructor(same?: FakeOutbox) {
    this.items = same?.items ?? new Map<number, OutboxItem>();
  }

  append(items: readonly NewOutboxItem[]): readonly OutboxItem[] {
    return items.map((item) => {
      this.#n += 1;
      const kept: OutboxItem = { ...item, seq: this.epoch * 2 ** 32 + this.#n, state: 'waiting', attempts: 0 };
      this.items.set(kept.seq, kept);
      return kept;
    });
  }

  attempt(seq: number): Promise<void> {
    return this.#change(seq, (item) => ({ ...item, state: 'sending', attempts: item.attempts + 1 }));
  }

  settle(seq: number, state: Exclude<DeliveryState, 'sending'>, reason?: string): Promise<void> {
    return this.#change(seq, (item) => ({ ...item, state, reason }));
  }

  open(): readonly OutboxItem[] {
    return this.#in('waiting', 'sending');
  }
  /** Newest first. */
  troubled(): readonly OutboxItem[] {
    return this.#in('dead', 'unknown').reverse();
  }
  newCalls(): readonly OutboxItem[] {
    return [...this.items.values()].filter(({ post }) => post.event === 'newCall');
  }

  #in(...states: readonly DeliveryState[]): OutboxItem[] {
    return [...this.items.values()].filter(({ state }) => states.includes(state)).sort((a, b) => a.seq - b.seq);
  }

  async #change(seq: number, change: (item: OutboxItem) => OutboxItem): Promise<void> {
    await Promise.resolve();
    if (this.notLeading) throw new PermanentError('ZPB_STORE_NOT_LEADING', 'another bridge leads');
    const item = this.items.get(seq);
    if (item === undefined) throw new PermanentError('ZPB_OUTBOX_NO_SUCH_POST', `no post ${seq}`);
    this.items.set(seq, change(item));
  }
}
