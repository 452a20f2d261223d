import type { Logger } from 'pino';
import type { Outcome } from './call/outcome.js';
import type { ZammadName } from './call/vocabulary.js';
import type { Clock } from './clock.js';
import { asError } from './errors.js';
import type { NewOutboxItem, Outbox, OutboxItem } from './store/outbox.js';

export interface PipelineOptions {
  readonly outbox: Outbox;
  /** Told after the commit: these may be sent. */
  readonly notify: (items: readonly OutboxItem[]) => void;
  readonly clock: Clock;
  readonly log: Logger;
  readonly count: (name: 'posts_lost_total', labels: Readonly<Record<string, string>>, by: number) => void;
}

/**
 * From the brain to the outbox: commits the posts of one turn together and in order, and lets the dispatcher have them only
 * when they are safe.
 */
export class Pipeline {
  /** Commits follow each other: a later one never overtakes an earlier one. */
  #last: Promise<void> = Promise.resolve();
  #batch: NewOutboxItem[] = [];

  constructor(private readonly options: PipelineOptions) {}

  /** Takes what the brain said. Several calls of one turn of the event loop share one commit. */
  take(outcomes: readonly Outcome[]): void {
    for (const outcome of outcomes) {
      if (outcome.kind === 'note') {
        this.options.log.debug({ callId: outcome.callId }, outcome.text);
        continue;
      }
      const { post, repeatable } = outcome;
      this.options.log.info(
        { callId: post.callId, event: post.event, direction: post.direction },
        `${post.event} ${post.callId}`,
      );
      for (const zammad of outcome.zammads)
        this.#add({ zammad, callId: post.callId, post, repeatable, happenedAt: this.options.clock.wall() });
    }
  }

  /** Resolves when everything taken so far is committed, or given up. */
  async settled(): Promise<void> {
    let seen: Promise<void>;
    do {
      seen = this.#last;
      await seen;
    } while (seen !== this.#last);
  }

  #add(item: NewOutboxItem): void {
    this.#batch.push(item);
    if (this.#batch.length > 1) return;
    this.#last = this.#last.then(() => this.#commit());
  }

  async #commit(): Promise<void> {
    const items = this.#batch;
    this.#batch = [];
    try {
      this.options.notify(await this.options.outbox.append(items));
    } catch (thrown) {
      const lost = new Map<ZammadName, number>();
      for (const { zammad } of items) lost.set(zammad, (lost.get(zammad) ?? 0) + 1);
      for (const [zammad, posts] of lost) this.options.count('posts_lost_total', { zammad }, posts);
      this.options.log.error(
        { error: asError(thrown), callIds: items.map(({ callId }) => callId) },
        `${items.length} posts could not be kept and are lost: the outbox refused them`,
      );
    }
  }
}
