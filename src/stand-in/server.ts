import { setMaxListeners } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { systemClock } from '../clock.js';
import { RetriableError } from '../errors.js';
import { CallerLog } from './caller-log.js';
import { Connections } from './connections.js';
import { control } from './control.js';
import { CtiHandler } from './cti-handler.js';
import { Announcer } from './events.js';
import { Faults } from './faults.js';
import { send } from './http-io.js';
import { Journal } from './journal.js';
import { Lane } from './lane.js';
import { Listener } from './listener.js';
import { LiveFeed } from './live-feed.js';
import { loadPage } from './page.js';
import { PhoneBook } from './phone-book.js';
import type { Settings, Zammad } from './push-endpoint.js';
import { json } from './reply.js';
import { routeOf } from './routes.js';
import type { StandIn, StandInLimits, StandInOptions } from './stand-in.js';

const LIMITS: StandInLimits = { rows: 10_000, requests: 10_000, clients: 100, body: 1_048_576, connections: 1000 };

function settingsOf(options: StandInOptions): Settings {
  return {
    enabled: options.enabled ?? true,
    configured: options.configured ?? true,
    viewLimit: options.viewLimit ?? 60,
    blockList: options.blockList ?? [],
    routingTable: options.routingTable ?? [],
    defaultCallerId: options.defaultCallerId ?? '',
    callerIdKey: options.callerIdKey ?? 'caller_id',
  };
}

/**
 * Starts a stand-in for Zammad: its CTI push API, the agent's caller log, faults on demand and a page that shows it all.
 * Rejects with a RetriableError when the port cannot be had.
 */
export async function startStandIn(options: StandInOptions = {}): Promise<StandIn> {
  const {
    host = '127.0.0.1',
    token = 'stand-in-token-0123456789a',
    clock = systemClock,
    random = Math.random,
  } = options;
  const limits = { ...LIMITS, ...options.limits };
  const page = await loadPage();
  const stopping = new AbortController();
  // Every request that a fault holds back listens to it.
  setMaxListeners(0, stopping.signal);
  const announcer = new Announcer();
  const people = new PhoneBook(options.people ?? []);
  const zammad: Zammad = { log: new CallerLog(limits.rows), people, token, settings: settingsOf(options), random };
  const journal = new Journal(limits.requests, clock, (entry) => {
    announcer.tell({ type: 'request', entry });
  });
  const faults = new Faults(random, () => {
    connections.rewatch();
  });
  const connections = new Connections(clock, () => faults.idleLimit());
  const source = {
    rows: () => zammad.log.rows(),
    requests: () => journal.list(),
    viewLimit: () => zammad.settings.viewLimit,
  };
  const feed = new LiveFeed(clock, source, limits.clients);
  announcer.subscribe((event) => {
    feed.take(event);
  });
  const cti = new CtiHandler({
    zammad,
    tokens: { apiToken: options.apiToken, weakApiToken: options.weakApiToken },
    faults,
    journal,
    connections,
    lane: new Lane(clock, options.processingTime ?? 0, stopping.signal),
    clock,
    signal: stopping.signal,
    maxBody: limits.body,
    rowChanged: (row) => {
      announcer.tell({ type: 'row', row });
    },
    screenOpened: (agent, row) => {
      announcer.tell({ type: 'screen', agent: agent.name, row });
    },
  });

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [path = '/', ...query] = (request.url ?? '/').split('?');
    const file = request.method === 'GET' || request.method === 'HEAD' ? page.get(path) : undefined;
    if (file !== undefined) await send(response, file);
    else if (path.startsWith('/stand-in/')) await control(request, response, path, controls);
    else await cti.handle(request, response, routeOf(request.method ?? '', path), path, query.join('?'));
  };
  const server = createServer({ keepAliveTimeout: 75_000, requestTimeout: 60_000 }, (request, response) => {
    serve(request, response)
      .catch(() => send(response, json(500, { error: 'The stand-in itself has failed.' })))
      // Part of a reply was out already.
      .catch(() => response.destroy());
  });
  server.maxConnections = limits.connections;
  server.on('connection', (socket) => {
    connections.add(socket);
    if (faults.take('connection', { reused: false }) !== undefined) socket.destroy();
  });
  server.on('upgrade', (request, socket, head) => {
    if (request.url === '/stand-in/live') feed.upgrade(request, socket, head);
    else socket.destroy();
  });
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    else socket.destroy();
  });
  const listener = new Listener(server, clock, host, options.port ?? 0);
  const cut = (): void => {
    feed.disconnectAll();
    connections.closeAll();
  };

  const standIn: StandIn = {
    get url() {
      return `${standIn.origin}/api/v1/cti/${token}`;
    },
    get origin() {
      return `http://${host.includes(':') ? `[${host}]` : host}:${listener.port}`;
    },
    get port() {
      return listener.port;
    },
    log: source.rows,
    row: (callId) => zammad.log.byCallId(callId),
    requests: source.requests,
    faults,
    subscribe: announcer.subscribe,
    when: (look, deadline = 5000) =>
      new Promise((resolve, reject) => {
        const fail = (why: string): void => {
          end();
          reject(new RetriableError('ZPB_STAND_IN_WAIT', `What was waited for at the stand-in has not come: ${why}.`));
        };
        const cancel = clock.after(deadline, () => {
          fail(`${deadline} ms are over`);
        });
        const stopped = (): void => {
          fail('it was stopped');
        };
        const check = (): void => {
          const found = look(standIn);
          if (found === undefined || found === false) return;
          end();
          resolve(found);
        };
        const unsubscribe = announcer.subscribe(check);
        const end = (): void => {
          cancel();
          unsubscribe();
          stopping.signal.removeEventListener('abort', stopped);
        };
        stopping.signal.addEventListener('abort', stopped);
        check();
      }),
    change: (patch) => {
      zammad.settings = { ...zammad.settings, ...patch };
    },
    clear: () => {
      zammad.log.clear();
      journal.clear();
      announcer.tell({ type: 'cleared' });
    },
    goDown: (ms) => listener.down(cut, ms),
    comeUp: () => listener.up(),
    stop: async () => {
      stopping.abort();
      await listener.stop(cut);
      feed.close();
    },
  };
  const controls = {
    faults,
    source,
    clock,
    maxBody: limits.body,
    change: (patch: Partial<Settings>): void => {
      standIn.change(patch);
    },
    clear: (): void => {
      standIn.clear();
    },
    goDown: (ms: number): void => {
      void standIn.goDown(ms);
    },
  };
  await listener.up();
  return standIn;
}
