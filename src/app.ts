import type { Logger } from 'pino';
import { createDirectory } from './call/directory.js';
import type { CallId } from './call/vocabulary.js';
import type { Clock } from './clock.js';
import type { Config, PbxConfig } from './config/model.js';
import { asError } from './errors.js';
import type { HealthReport } from './http/health.js';
import { metricsRoutes } from './http/metrics-routes.js';
import { createHttpServer, type HttpServer } from './http/server.js';
import { Metrics } from './metrics.js';
import type { AdapterDefinition } from './pbx/adapter.js';
import { PbxLine } from './pbx/pbx-line.js';
import { Pipeline } from './pipeline.js';
import { createMemoryOutbox } from './store/memory-outbox.js';
import type { Outbox } from './store/outbox.js';
import { VERSION } from './version.js';
import { readAuthorities } from './zammad/authorities.js';
import { createZammadClient, type ZammadClient } from './zammad/client.js';
import { createDispatcher, type Dispatcher } from './zammad/dispatcher.js';

export interface AppOptions {
  readonly config: Config;
  /** The definition of each PBX's adapter, already loaded. */
  readonly adapterOf: (pbx: PbxConfig) => AdapterDefinition;
  readonly log: Logger;
  readonly clock: Clock;
  /** 0 up to 1. */
  readonly random: () => number;
}

/** How often an idle Zammad is looked at. */
const LOOK_EVERY_MS = 60_000;

/** The running bridge. */
export interface App {
  /** Where its HTTP server listens; undefined when it has none. */
  readonly url: string | undefined;
  health(): HealthReport;
  /**
   * Stops hearing the PBXs, delivers what is due within `delivery.drain`, closes everything. Calls in progress stay open in
   * Zammad: the next start takes them up. Resolves with the number of posts that were not delivered.
   */
  stop(): Promise<number>;
}

/** The one place that knows all rooms and wires them. Rejects, with everything closed, when the HTTP address cannot be had. */
export async function startApp(options: AppOptions): Promise<App> {
  const { config, log, clock, random } = options;
  const metrics = new Metrics();
  const outbox = createMemoryOutbox();
  const clients = await Promise.all(
    config.zammad.map(async (zammad) => {
      const ca = zammad.caFile === undefined ? undefined : await readAuthorities(zammad.caFile);
      return { name: zammad.name, client: createZammadClient({ ...zammad, ca, version: VERSION, clock }) };
    }),
  );
  const lines = new Map<string, PbxLine>();
  const dispatcher = createDispatcher({
    outbox,
    zammads: clients,
    clock,
    random,
    log,
    metrics,
    settings: { timeout: config.delivery.timeout, parallel: config.delivery.parallel, maxAge: config.delivery.maxAge },
    onReply: ({ callId, reply, live, zammad }) => {
      if (reply.kind === 'dial') {
        log.debug({ callId, zammad }, 'Zammad names a caller id, which this version cannot set');
        return;
      }
      if (live) rejectCall(lines, callId, log);
    },
  });
  const pipeline = new Pipeline({
    outbox,
    clock,
    log,
    notify: (items) => {
      dispatcher.notify(items);
    },
    count: (name, labels, by) => {
      metrics.count(name, labels, by);
    },
  });
  for (const pbx of config.pbx) {
    const directory = createDirectory(config.agents, config.dids, pbx.calls.country);
    const child = log.child({ pbx: pbx.name });
    const line = new PbxLine({
      brain: { pbx: pbx.name, calls: pbx.calls, filter: pbx.filter, destinations: config.zammad, directory },
      createAdapter: (context) => options.adapterOf(pbx).create(context, pbx.settings),
      clock,
      random,
      log: child,
      metrics: {
        count: (name, by) => {
          metrics.count(`pbx_${name}_total`, { pbx: pbx.name }, by);
        },
      },
      onOutcomes: (outcomes) => {
        pipeline.take(outcomes);
      },
    });
    lines.set(pbx.name, line);
  }
  const health = (): HealthReport => report(lines, config, dispatcher, clock);
  const http = createHttpServer({
    ...config.http,
    health,
    log,
    version: VERSION,
    clock,
    routes: [metricsRoutes(metrics)],
  });
  let url: string | undefined;
  try {
    url = await http.listen();
    await dispatcher.start();
  } catch (thrown) {
    await Promise.allSettled([http.close(), dispatcher.stop(0)]);
    for (const { client } of clients) client.close();
    await outbox.close();
    throw thrown;
  }
  const endLooks = lookNowAndThen(dispatcher, clock);
  for (const line of lines.values()) line.start();
  return {
    url,
    health,
    stop: once(() => stopAll({ endLooks, lines, pipeline, dispatcher, outbox, http, clients, clock, config, log })),
  };
}

/** Has the PBX of a call end it. Nobody waits for that: its outcome is logged. */
function rejectCall(lines: ReadonlyMap<string, PbxLine>, callId: CallId, log: Logger): void {
  const line = [...lines.values()].find((one) => one.has(callId));
  line?.reject(callId).catch((thrown: unknown) => {
    log.error({ callId, error: asError(thrown) }, 'the call could not be rejected');
  });
}

/** What is wrong with a Zammad is said at once, not with the next call. Returns the function that ends it. */
function lookNowAndThen(dispatcher: Dispatcher, clock: Clock): () => void {
  let cancel: () => void = () => undefined;
  const look = (): void => {
    dispatcher.look();
    cancel = clock.after(LOOK_EVERY_MS, look);
  };
  look();
  return () => {
    cancel();
  };
}

function report(
  lines: ReadonlyMap<string, PbxLine>,
  config: Config,
  dispatcher: Dispatcher,
  clock: Clock,
): HealthReport {
  const toWall = (monotonic: number): number => clock.wall() - (clock.monotonic() - monotonic);
  return {
    pbx: [...lines.values()].map(({ name, state }) => ({
      name,
      state: state.state,
      reason: state.reason,
      since: toWall(state.since),
    })),
    zammad: config.zammad.map(({ name }) => {
      const { state, known, reason, depth, oldestAge } = dispatcher.state(name);
      return { name, state: known ? state : 'connecting', reason, waiting: depth, oldestMs: oldestAge ?? 0 };
    }),
    problems: [],
  };
}

interface Parts {
  readonly endLooks: () => void;
  readonly lines: ReadonlyMap<string, PbxLine>;
  readonly pipeline: Pipeline;
  readonly dispatcher: Dispatcher;
  readonly outbox: Outbox;
  readonly http: HttpServer;
  readonly clients: readonly { readonly client: ZammadClient }[];
  readonly clock: Clock;
  readonly config: Config;
  readonly log: Logger;
}

async function stopAll({
  endLooks,
  lines,
  pipeline,
  dispatcher,
  outbox,
  http,
  clients,
  clock,
  config,
  log,
}: Parts): Promise<number> {
  const began = clock.monotonic();
  endLooks();
  // Beside the rest: a client that reads slowly must not add to the time that a service manager gives.
  const httpClosed = http.close().catch((thrown: unknown) => {
    log.warn({ error: asError(thrown) }, 'the HTTP server did not close cleanly');
  });
  const left = (): number => Math.max(0, config.delivery.drain - (clock.monotonic() - began));
  await Promise.all([...lines.values()].map((line) => line.stop()));
  await pipeline.settled();
  await inTime(dispatcher.idle(), left(), clock);
  const waiting = config.zammad.reduce((sum, { name }) => sum + dispatcher.state(name).depth, 0);
  await dispatcher.stop(Math.min(left(), 1_000));
  if (waiting > 0)
    log.error(
      { posts: waiting },
      `${waiting} posts were not delivered before the end and are lost: the outbox of this version lives in memory`,
    );
  for (const { client } of clients) client.close();
  await outbox.close();
  await httpClosed;
  return waiting;
}

/** Waits for a task, but not longer than `ms`. */
function inTime(task: Promise<void>, ms: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(ms, resolve);
    void task.finally(() => {
      cancel();
      resolve();
    });
  });
}

function once<T>(task: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => (running ??= task());
}
