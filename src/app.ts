import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { Access } from './access/access.js';
import { createDialler } from './app-dial.js';
import { healthReport } from './app-health.js';
import { stopApp } from './app-stop.js';
import { AgentAvailability } from './availability/agent-availability.js';
import { createDirectory } from './call/directory.js';
import type { PbxName } from './call/vocabulary.js';
import { chooseStore } from './choose-store.js';
import type { Clock } from './clock.js';
import type { Config, PbxConfig } from './config/model.js';
import { watchEventLoop } from './event-loop.js';
import { createEmergency } from './gate/emergency.js';
import type { GateRules } from './gate/rules.js';
import { agentApi } from './http/agents/agent-api.js';
import { callRoutes } from './http/agents/call-routes.js';
import { pageRoutes } from './http/agents/page-routes.js';
import { stateRoutes } from './http/agents/state-routes.js';
import type { HealthReport } from './http/health.js';
import { metricsRoutes } from './http/metrics-routes.js';
import { ownAddress } from './own-address.js';
import { createHttpServer } from './http/server.js';
import { Leads } from './leads.js';
import { LedPbx } from './led-pbx.js';
import { Metrics } from './metrics.js';
import type { AdapterDefinition } from './pbx/adapter.js';
import type { Heritage, Lead } from './store/store.js';
import { Strangers } from './strangers.js';
import { UngatedDials } from './ungated-dials.js';
import { VERSION } from './version.js';
import { readAuthorities } from './zammad/authorities.js';
import { createZammadClient } from './zammad/client.js';
import { createDispatcher, type Dispatcher } from './zammad/dispatcher.js';
import { Reconciler } from './zammad/reconciler.js';

export interface AppOptions {
  readonly config: Config;
  /** The definition of each PBX's adapter, already loaded. */
  readonly adapterOf: (pbx: PbxConfig) => AdapterDefinition;
  readonly log: Logger;
  readonly clock: Clock;
  /** 0 up to 1. */
  readonly random: () => number;
  /** Aborted: what waits in the start waits no longer. The app is then stopped as ever. */
  readonly signal?: AbortSignal | undefined;
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
   * Zammad: the next start, or another bridge, takes them up. Resolves with the number of posts that were not delivered.
   */
  stop(): Promise<number>;
}

/**
 * The one place that knows all rooms and wires them. Rejects, with everything closed, when the store cannot be used
 * (ZPB_STORE_…) or the HTTP address cannot be had.
 */
export async function startApp(options: AppOptions): Promise<App> {
  const { config, log, clock, random } = options;
  const startedAt = clock.monotonic();
  const metrics = new Metrics();
  const count = (name: string, labels: Readonly<Record<string, string>>, by?: number): void => {
    metrics.count(name, labels, by);
  };
  const clients = await Promise.all(
    config.zammad.map(async (zammad) => {
      const ca = zammad.caFile === undefined ? undefined : await readAuthorities(zammad.caFile);
      return { name: zammad.name, client: createZammadClient({ ...zammad, ca, version: VERSION, clock }) };
    }),
  );
  const address = ownAddress(config.http, hostname());
  const holder = config.store.kind === 'memory' ? undefined : config.store.machine;
  const { store, problem } = await chooseStore(config.store, {
    clock,
    random,
    log,
    metrics,
    holder,
    address,
    signal: options.signal,
  });
  const led = new Map<PbxName, LedPbx>();
  const ungated = new UngatedDials({ log, count });
  const delivery = {
    timeout: config.delivery.timeout,
    parallel: config.delivery.parallel,
    maxAge: config.delivery.maxAge,
  };
  const dispatcher = createDispatcher({
    outbox: store.outbox,
    zammads: clients,
    clock,
    random,
    log,
    metrics,
    settings: delivery,
    onReply: ({ callId, reply, live, age, gate: asked, zammad }) => {
      // Whoever waits at the gate has it, or had it: it is his.
      if (asked === 'told') return;
      const run = live ? [...led.values()].find((one) => one.has(callId)) : undefined;
      if (run === undefined) return;
      const { line } = run;
      if (asked === 'passed') count('gate_late_replies_total', { kind: reply.kind });
      if (reply.kind === 'reject') run.reject(callId, age);
      else if (asked === 'none') ungated.take({ pbx: line.name, callId, zammad, gate: line.gateState });
    },
  });
  const reconciler = new Reconciler({
    zammads: clients,
    pbxs: config.pbx.map(({ name }) => name),
    notify: (items) => {
      dispatcher.notify(items);
    },
    clock,
    log,
    metrics,
    settings: delivery,
  });
  const availability = new AgentAvailability({
    store: store.agentStates,
    pbxs: config.pbx.map(({ name }) => name),
    agents: config.agents,
    clock,
    log,
    count,
    gauge: (name, value) => {
      metrics.gauge(name, value);
    },
  });
  const gate: GateRules = {
    ...config.gate,
    isEmergency: createEmergency(config.gate.emergency, config.gate.outsideLine),
  };
  const onLead = (pbx: PbxConfig, lead: Lead, heritage: Heritage): LedPbx => {
    const child = log.child({ pbx: pbx.name });
    const run = new LedPbx({
      lead,
      heritage,
      dispatcher,
      gate,
      clock,
      log: child,
      count,
      line: {
        brain: {
          pbx: pbx.name,
          calls: pbx.calls,
          filter: pbx.filter,
          destinations: config.zammad,
          directory: createDirectory(config.agents, config.dids, pbx.calls.country),
          journal: true,
        },
        createAdapter: (context) => options.adapterOf(pbx).create(context, pbx.settings),
        clock,
        random,
        log: child,
        onHeard: () => {
          reconciler.run(lead, (callId) => run.has(callId));
          availability.heard(pbx.name);
        },
        onAvailability: (news) => {
          availability.news(pbx.name, news);
        },
        metrics: {
          count: (name, by) => {
            metrics.count(`pbx_${name}_total`, { pbx: pbx.name }, by);
          },
        },
      },
    });
    led.set(pbx.name, run);
    availability.lead(pbx.name, run.line);
    run.start();
    return run;
  };
  const leads = new Leads({
    store,
    pbxs: config.pbx,
    clock,
    random,
    log,
    onLead,
    onLost: (pbx) => {
      led.delete(pbx.name);
      availability.lose(pbx.name);
    },
  });
  const strangers = new Strangers({
    store,
    known: config.pbx.map(({ name }) => name),
    settings: {
      calls: config.calls,
      filter: {},
      destinations: config.zammad,
      directory: createDirectory(config.agents, config.dids, config.calls.country),
    },
    dispatcher,
    clock,
    random,
    log,
    count,
  });
  const health = (): HealthReport =>
    healthReport({
      config,
      clock,
      dispatcher,
      line: (pbx) => led.get(pbx)?.line,
      lead: (pbx) => leads.state(pbx),
      store: () => store.state,
      problems: problem === undefined ? [] : [problem],
      startedAt,
    });
  const names = new Map(config.agents.map(({ extension, name }) => [extension, name]));
  const agents = agentApi({
    door: new Access({ credentials: store.credentials, clock, nameOf: (extension) => names.get(extension) }),
    trustProxy: config.http.trustProxy,
    log,
    count,
    routes: [callRoutes(createDialler({ config, led, leads, clock, log, count })), stateRoutes(availability, clock)],
  });
  const http = createHttpServer({
    ...config.http,
    health,
    log,
    version: VERSION,
    clock,
    routes: [metricsRoutes(metrics), agents, pageRoutes(config.http.trustProxy)],
  });
  const parts = {
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
  };
  let url: string | undefined;
  try {
    url = await http.listen();
    dispatcher.start();
    availability.start();
    await leads.start(options.signal);
  } catch (thrown) {
    await stopApp({ ...parts, drain: 0 });
    throw thrown;
  }
  strangers.start();
  const endLooks = lookNowAndThen(dispatcher, clock);
  const loop = watchEventLoop(metrics, clock);
  return {
    url,
    health,
    stop: once(() => {
      endLooks();
      loop.close();
      return stopApp({ ...parts, drain: config.delivery.drain });
    }),
  };
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

function once<T>(task: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => (running ??= task());
}
