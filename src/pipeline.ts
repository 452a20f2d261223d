import type { Logger } from 'pino';
import type { Outcome } from './call/outcome.js';
import type { CallId, Post, ZammadName } from './call/vocabulary.js';
import type { Clock } from './clock.js';
import { asError } from './errors.js';
import type { NewOutboxItem, OutboxItem } from './store/outbox.js';
import type { CallChange, Lead, Turn } from './store/store.js';

export interface PipelineOptions {
  readonly lead: Pick<Lead, 'pbx' | 'commit' | 'ended'>;
  /** Told after the commit: these may be sent. */
  readonly notify: (items: readonly OutboxItem[]) => void;
  readonly clock: Clock;
  readonly log: Logger;
  readonly count: (name: 'posts_lost_total', labels: Readonly<Record<string, string>>, by?: number) => void;
}

/**
 * From the brain of one PBX to the store: what happened to calls in one turn of the event loop, and the posts that it has
 * caused, are committed together and in order; the dispatcher gets the posts only when they are safe.
 */
export class Pipeline {
  #calls = new Map<CallId, CallChange>();
  #posts: NewOutboxItem[] = [];
  #planned = false;
  readonly #underWay = new Set<Promise<void>>();

  constructor(private readonly options: PipelineOptions) {}

  /** Takes what the brain said. Everything of one turn of the event loop shares one commit. */
  take(outcomes: readonly Outcome[]): void {
    for (const outcome of outcomes) this.#takeOne(outcome);
    if (this.#planned || (this.#calls.size === 0 && this.#posts.length === 0)) return;
    this.#planned = true;
    // After what this turn still has to say; before anything else is read from a socket.
    setImmediate(() => {
      void this.#flush();
    });
  }

  /**
   * The same for what was said of a call that waits at the gate: committed at once, with all that was taken before. Resolves with
   * the posts that are gated, for whose replies somebody waits; they are not handed to `notify`. Never rejects: none is left when
   * the store refused them.
   */
  async takeGated(outcomes: readonly Outcome[]): Promise<readonly OutboxItem[]> {
    const gated = new Set<Post>();
    for (const outcome of outcomes) {
      if (outcome.kind === 'post' && outcome.gated === true) gated.add(outcome.post);
      this.#takeOne(outcome);
    }
    return this.#flush(gated);
  }

  /** Resolves when everything taken so far is committed, or given up. */
  async settled(): Promise<void> {
    void this.#flush();
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  #takeOne(outcome: Outcome): void {
    const { log, clock, lead } = this.options;
    switch (outcome.kind) {
      case 'note':
        log.debug({ callId: outcome.callId }, outcome.text);
        return;
      case 'call': {
        const { callId, root, ordinal, record, aftermath } = outcome;
        this.#calls.set(callId, { callId, root, ordinal, record, aftermath });
        return;
      }
      case 'post': {
        const { post, repeatable } = outcome;
        log.info({ callId: post.callId, event: post.event, direction: post.direction }, `${post.event} ${post.callId}`);
        for (const zammad of outcome.zammads) {
          const happenedAt = clock.wall();
          this.#posts.push({ pbx: lead.pbx, zammad, callId: post.callId, post, repeatable, happenedAt });
        }
      }
    }
  }

  /** Commits what has gathered. Resolves with the items of `gated`; the others go to the dispatcher. */
  async #flush(gated: ReadonlySet<Post> = new Set()): Promise<readonly OutboxItem[]> {
    this.#planned = false;
    if (this.#calls.size === 0 && this.#posts.length === 0) return [];
    const turn: Turn = { calls: [...this.#calls.values()], posts: this.#posts };
    this.#calls = new Map();
    this.#posts = [];
    const commit = this.#commit(turn, gated);
    const underWay: Promise<void> = commit.then(() => {
      this.#underWay.delete(underWay);
    });
    this.#underWay.add(underWay);
    return commit;
  }

  async #commit(turn: Turn, gated: ReadonlySet<Post>): Promise<readonly OutboxItem[]> {
    const { lead, notify, log, count } = this.options;
    try {
      const items = await lead.commit(turn);
      if (lead.ended.aborted) return [];
      // By place: what comes back from a store is a copy.
      const isGated = (index: number): boolean => {
        const post = turn.posts[index]?.post;
        return post !== undefined && gated.has(post);
      };
      const others = items.filter((_, index) => !isGated(index));
      if (others.length > 0) notify(others);
      return items.filter((_, index) => isGated(index));
    } catch (thrown) {
      // Whoever leads now finds out by himself what there is to tell.
      if (lead.ended.aborted) return [];
      const lost = new Map<ZammadName, number>();
      for (const { zammad } of turn.posts) lost.set(zammad, (lost.get(zammad) ?? 0) + 1);
      for (const [zammad, posts] of lost) count('posts_lost_total', { zammad }, posts);
      log.error(
        {
          error: asError(thrown),
          callIds: [...new Set([...turn.calls, ...turn.posts].map(({ callId }) => callId))].slice(0, 100),
        },
        `${turn.posts.length} posts and the state of ${turn.calls.length} calls could not be kept and are lost: the store refused them`,
      );
      return [];
    }
  }
}
