/**
 * Delivers the outbox to the Zammads: strictly one post at a time per call and Zammad, live calls before the backlog, each
 * attempt written before it is made. What follows from an outcome stands in policy.ts.
 */
import type { Logger } from 'pino';
import type { Clock } from '../clock.js';
import { PermanentError } from '../errors.js';
import type { Outbox, OutboxItem } from '../store/outbox.js';
import type { Millis, ZammadName } from '../call/vocabulary.js';
import type { ZammadClient } from './client.js';
import type { ReplyEvent } from './lane-worker.js';
import type { DeliveryMetrics } from './metrics.js';
import type { UrgentReply } from './queued-post.js';
import { RememberedCalls } from './remembered-calls.js';
import { Route } from './route.js';
import type { RouteState } from './route.js';
import { defaultDelivery } from './settings.js';
import type { DeliverySettings } from './settings.js';

export type { ReplyEvent, RouteState, UrgentReply };

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
  /** Takes up what is open in the outbox and begins to send. Rejects as `outbox.open` does; may then be called again. */
  start(): Promise<void>;
  /** Takes up items that `outbox.append` has just returned. May be called before `start`. */
  notify(items: readonly OutboxItem[]): void;
  /**
   * The same for one newCall for whose reply a gate waits: it has slots of its own. Never rejects; settles after the first
   * attempt, at once when Zammad is not well. The gate's own budget is the caller's business.
   */
  urgent(item: OutboxItem): Promise<UrgentReply>;
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

  constructor(context: DispatcherContext) {
    this.#context = context;
    const settings = { ...defaultDelivery, ...context.settings };
    this.#routes = new Map(
      context.zammads.map(({ name, client }) => {
        const remembered = new RememberedCalls(settings.rememberedCalls);
        return [name, new Route({ ...context, settings, name, client, remembered })];
      }),
    );
  }

  async start(): Promise<void> {
    const items = await this.#context.outbox.open();
    const open = items.filter(({ state }) => state === 'waiting' || state === 'sending');
    await this.#dropStrangers(open);
    for (const [name, route] of this.#routes) {
      route.intake(
        open.filter((item) => item.zammad === name),
        true,
      );
    }
    for (const route of this.#routes.values()) route.start();
  }

  notify(items: readonly OutboxItem[]): void {
    for (const [name, route] of this.#routes) {
      const mine = items.filter((item) => item.zammad === name);
      if (mine.length > 0) route.intake(mine, false);
    }
  }

  urgent(item: OutboxItem): Promise<UrgentReply> {
    return this.#route(item.zammad).urgent(item);
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

  #route(zammad: ZammadName): Route {
    const route = this.#routes.get(zammad);
    if (route !== undefined) return route;
    throw new PermanentError(
      'ZPB_ZAMMAD_UNKNOWN',
      `No Zammad is configured by the name ${zammad}: look at zammad[].name`,
    );
  }

  /** Posts for a Zammad that is gone from the configuration are listed for a person, not kept for ever. */
  async #dropStrangers(open: readonly OutboxItem[]): Promise<void> {
    const { outbox, log, metrics } = this.#context;
    for (const { seq, zammad, post } of open.filter((item) => !this.#routes.has(item.zammad))) {
      await outbox.settle(seq, 'dead', `No Zammad is configured by the name ${zammad}`);
      metrics.count('zammad_dead_total', { zammad, event: post.event });
      log.warn({ zammad, seq }, `Gave up a post for Zammad ${zammad}, which is not configured any more`);
    }
  }
}
