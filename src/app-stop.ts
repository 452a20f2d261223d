import type { Logger } from 'pino';
import type { AgentAvailability } from './availability/agent-availability.js';
import { inTime, type Clock } from './clock.js';
import type { Config } from './config/model.js';
import { asError } from './errors.js';
import type { HttpServer } from './http/server.js';
import type { Leads } from './leads.js';
import type { LedPbx } from './led-pbx.js';
import type { Store } from './store/store.js';
import type { Strangers } from './strangers.js';
import type { ZammadClient } from './zammad/client.js';
import type { Dispatcher } from './zammad/dispatcher.js';
import type { Reconciler } from './zammad/reconciler.js';

export interface StopParts {
  readonly led: ReadonlyMap<string, LedPbx>;
  readonly leads: Leads;
  readonly strangers: Strangers;
  readonly reconciler: Reconciler;
  readonly availability: AgentAvailability;
  readonly dispatcher: Dispatcher;
  readonly store: Store;
  readonly http: HttpServer;
  readonly clients: readonly { readonly client: ZammadClient }[];
  readonly clock: Clock;
  readonly config: Config;
  readonly log: Logger;
  /** How long delivery goes on, ms. */
  readonly drain: number;
}

/** What is still to be done after the drain may take so long. */
const REST_MS = 1_000;

/**
 * Ends everything in order: no call is heard any more, what was heard is committed, what is due is delivered within the
 * drain, then the leads are given up. When another bridge stands by, the leads go to it at once. Resolves with the number of posts
 * that were not delivered.
 */
export async function stopApp(parts: StopParts): Promise<number> {
  const {
    led,
    leads,
    strangers,
    reconciler,
    availability,
    dispatcher,
    store,
    http,
    clients,
    clock,
    config,
    log,
    drain,
  } = parts;
  const began = clock.monotonic();
  // Beside the rest: a client that reads slowly must not add to the time that a service manager gives.
  const httpClosed = http.close().catch((thrown: unknown) => {
    log.warn({ error: asError(thrown) }, 'the HTTP server did not close cleanly');
  });
  const left = (): number => Math.max(0, drain - (clock.monotonic() - began));
  await inTime(clock, REST_MS, Promise.all([leads.stop(), strangers.stop(), reconciler.stop()]));
  // A store that is gone must not hold the end up: what it lacks, the PBX tells the next run anew.
  await inTime(clock, Math.max(left(), REST_MS), Promise.all([...led.values()].map((run) => run.stop())));
  await availability.stop(REST_MS);
  await inTime(clock, leads.wanted ? 0 : left(), dispatcher.idle());
  const waiting = config.zammad.reduce((sum, { name }) => sum + dispatcher.state(name).depth, 0);
  // What is under way may end, also when the drain is used up: cut, nobody could say what became of it.
  await dispatcher.stop(REST_MS);
  if (waiting > 0) sayWaiting(waiting, store, log);
  await inTime(clock, REST_MS, Promise.all([leads.release(), strangers.release()]));
  for (const { client } of clients) client.close();
  await store.close(REST_MS);
  await httpClosed;
  return waiting;
}

function sayWaiting(posts: number, { kind }: Store, log: Logger): void {
  if (kind === 'memory')
    log.error({ posts }, `${posts} posts were not delivered before the end and are lost: the store lives in memory`);
  else log.warn({ posts }, `${posts} posts were not delivered before the end; they wait in the store`);
}
