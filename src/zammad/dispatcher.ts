/**
 * Delivers the outbox to the Zammads: strictly one post at a time per call and Zammad, live calls before the backlog, each
 * attempt written before it is made, and nothing for a PBX that another bridge may speak for. What follows from an outcome
 * stands in policy.ts.
 */
import type { Logger } from 'pino';
import type { Clock } from '../clock.js';
import { PermanentError, asError } from '../errors.js';
import type { Outbox, OutboxItem } from '../store/outbox.js';
import { epochOf } from '../store/seq.js';
import type { Millis, PbxName, ZammadName } from '../call/vocabulary.js';
import type { ZammadClient } from './client.js';
import { isNotLeading } from './delivery-step.js';
import { Fence } from './fence.js';
import type { LeadView } from './fence.js';
import type { DeliveryMetrics } from './metrics.js';
import { HANDED_IN } from './queued-post.js';
import type { Origin, UrgentReply } from './queued-post.js';
import { RememberedCalls } from './remembered-calls.js';
import type { ReplyEvent } from './replies.js';
import { Route } from './route.js';
import type { RouteState } from './route.js';
import { defaultDelivery } from './settings.js';
import type { DeliverySettings } from './settings.js';

export type { LeadView, ReplyEvent, RouteState, UrgentReply };

export interface DispatcherContext {
  readonly outbox: Outbox;
  /** The clients stay the caller's: they are not closed here. */
  readonly zammads: readonly { readonly name: ZammadName; readonly client: ZammadClient }[];
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics: DeliveryMetrics;
  /** Laid over `defaultDelivery`. */
  readonly settings?: Partial<DeliverySettings> | undefined;
  /** Zammad wants a call rejected or its caller id set. */
  readonly onReply: (event: ReplyEvent) => void;
}

export interface Dispatcher {
  /** Begins to send. */
  start(): void;
  /**
   * This bridge leads a PBX now. `posts`: what an earlier run or another bridge has left `waiting` or `sending`. `newCalls`: those of
   * the calls that go on, whatever became of them, in case Zammad does not know a call. May be called before `start`, and after the
   * first `notify` of the same lead. Before it the posts of that PBX wait; a lead that is taken anew is dropped first.
   */
  take(lead: LeadView, posts: readonly OutboxItem[], newCalls: readonly OutboxItem[]): void;
  /** Takes up items that have just been committed. Such of a lead that was dropped are passed over: they are not ours to send. */
  notify(items: readonly OutboxItem[]): void;
  /**
   * Takes up `waiting` posts that a person, or another program, wants sent. They are tried at least once: whatever their age, also a
   * newCall alone, also when the call's newCall was refused. Only from then on the ordinary rules hold, and their age
   * counts from now (or, if the bridge ends before the first try, from the next `take`). They are backlog: live calls go first.
   * With an API token the hangup of a missed call is sent only if the caller log does not show it as over already.
   */
  handedIn(items: readonly OutboxItem[]): void;
  /**
   * The lead is over, or about to be let go: forgets every post of that PBX, and cuts its requests under way without writing anything
   * about them. Resolves when none is under way.
   */
  drop(pbx: PbxName): Promise<void>;
  /**
   * As `notify` for one newCall for whose reply a gate waits: it has slots of its own. Never rejects; settles after the first
   * attempt, at once when Zammad is not well or the lead about to run out. The gate's own budget is the caller's business.
   */
  urgent(item: OutboxItem): Promise<UrgentReply>;
  /** Posts of this PBX are not yet delivered or given up. */
  holds(pbx: PbxName): boolean;
  /** Resolves when no post waits any more. While a Zammad is down that may take for ever. */
  idle(): Promise<void>;
  /** Finds out how each Zammad is that no request is under way to. For readiness: call it at start and now and then. */
  look(): void;
  /** Throws a PermanentError `ZPB_ZAMMAD_UNKNOWN` for a Zammad that is not configured. */
  state(zammad: ZammadName): RouteState;
  /**
   * Begins no request more; lets those under way end, but cuts them short after `deadline` ms. What is not delivered stays
   * in the outbox. Nothing is called or written after it has resolved.
   */
  stop(deadline: Millis): Promise<void>;
}

export function createDispatcher(context: DispatcherContext): Dispatcher {
  return new OutboxDispatcher(context);
}

class OutboxDispatcher implements Dispatcher {
  readonly #context: DispatcherContext;
  readonly #routes: ReadonlyMap<ZammadName, Route>;
  readonly #fences = new Map<PbxName, Fence>();
  /** The last lead of each PBX that is over. */
  readonly #dropped = new Map<PbxName, number>();

  constructor(context: DispatcherContext) {
    this.#context = context;
    const settings = { ...defaultDelivery, ...context.settings };
    const fenceOf = (pbx: PbxName): Fence | undefined => this.#fences.get(pbx);
    this.#routes = new Map(
      context.zammads.map(({ name, client }) => {
        const remembered = new RememberedCalls(settings.rememberedCalls);
        return [name, new Route({ ...context, settings, name, client, remembered, fenceOf })];
      }),
    );
  }

  start(): void {
    for (const route of this.#routes.values()) route.start();
  }

  take(lead: LeadView, posts: readonly OutboxItem[], newCalls: readonly OutboxItem[]): void {
    if (this.#fences.has(lead.pbx)) void this.drop(lead.pbx);
    this.#fences.set(lead.pbx, new Fence(lead, this.#context.clock));
    for (const [name, route] of this.#routes) route.recall(newCalls.filter(({ zammad }) => zammad === name));
    const open = posts.filter(({ state }) => state === 'waiting' || state === 'sending');
    this.#giveUpStrangers(open);
    this.#spread(open, 'left');
  }

  notify(items: readonly OutboxItem[]): void {
    const ours = items.filter((item) => this.#isOurs(item));
    // A call that goes on after a restart may have been told to a Zammad that is not in the configuration any more.
    this.#giveUpStrangers(ours);
    this.#spread(ours, 'live');
  }

  handedIn(items: readonly OutboxItem[]): void {
    const open = items.filter(({ pbx, state }) => this.#fences.has(pbx) && state === 'waiting');
    this.#giveUpStrangers(open);
    // So that a restart before the first try does not give it up.
    for (const { seq, zammad, reason } of open) {
      if (this.#routes.has(zammad) && reason !== HANDED_IN) this.#settle(seq, zammad, 'waiting', HANDED_IN);
    }
    this.#spread(open, 'handedIn');
  }

  holds(pbx: PbxName): boolean {
    return [...this.#routes.values()].some((route) => route.holds(pbx));
  }

  async drop(pbx: PbxName): Promise<void> {
    const fence = this.#fences.get(pbx);
    this.#fences.delete(pbx);
    if (fence !== undefined) this.#dropped.set(pbx, fence.epoch);
    fence?.close();
    await Promise.all([...this.#routes.values()].map((route) => route.drop(pbx)));
  }

  urgent(item: OutboxItem): Promise<UrgentReply> {
    const route = this.#route(item.zammad);
    if (this.#isOurs(item)) return route.urgent(item);
    return Promise.resolve({ kind: 'noReply', why: 'Another bridge speaks for this PBX now' });
  }

  async idle(): Promise<void> {
    await Promise.all([...this.#routes.values()].map((route) => route.idle()));
  }

  look(): void {
    for (const route of this.#routes.values()) route.look();
  }

  state(zammad: ZammadName): RouteState {
    return this.#route(zammad).state();
  }

  async stop(deadline: Millis): Promise<void> {
    await Promise.all([...this.#routes.values()].map((route) => route.stop(deadline)));
  }

  /** False for what was committed under a lead that is over by now. */
  #isOurs({ pbx, seq }: OutboxItem): boolean {
    const fence = this.#fences.get(pbx);
    if (fence !== undefined) return epochOf(seq) >= fence.epoch;
    return epochOf(seq) > (this.#dropped.get(pbx) ?? -1);
  }

  #spread(items: readonly OutboxItem[], origin: Origin): void {
    for (const [name, route] of this.#routes) {
      const mine = items.filter((item) => item.zammad === name);
      if (mine.length > 0) route.intake(mine, origin);
    }
  }

  #route(zammad: ZammadName): Route {
    const route = this.#routes.get(zammad);
    if (route !== undefined) return route;
    throw new PermanentError(
      'ZPB_ZAMMAD_UNKNOWN',
      `No Zammad is configured by the name ${zammad}: look at zammad[].name`,
    );
  }

  /** Posts for a Zammad that is gone from the configuration are listed for a person, not kept for ever. */
  #giveUpStrangers(open: readonly OutboxItem[]): void {
    const { log, metrics } = this.#context;
    for (const { seq, zammad, post } of open.filter((item) => !this.#routes.has(item.zammad))) {
      this.#settle(seq, zammad, 'dead', `No Zammad is configured by the name ${zammad}`);
      metrics.count('zammad_dead_total', { zammad, event: post.event });
      log.warn({ zammad, seq }, `Gave up a post for Zammad ${zammad}, which is not configured any more`);
    }
  }

  /** Nobody waits for it: what is not written now is found and written again after the next start. */
  #settle(seq: number, zammad: ZammadName, state: 'waiting' | 'dead', reason: string): void {
    const { outbox, log, metrics } = this.#context;
    outbox.settle(seq, state, reason).catch((thrown: unknown) => {
      if (isNotLeading(thrown)) return;
      metrics.count('zammad_outbox_failures_total', { zammad, step: 'settle' });
      log.error({ error: asError(thrown).message, zammad, seq, state }, 'A post could not be written to the outbox');
    });
  }
}
