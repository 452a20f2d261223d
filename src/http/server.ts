/** The one HTTP server of the bridge: loopback by default, small limits, health; pages and hooks hang on `routes`. */
import type { Server } from 'node:https';
import { type AddressInfo, isIPv6 } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyServerOptions } from 'fastify';
import type { Logger } from 'pino';
import { type Clock, systemClock } from '../clock.js';
import { PermanentError } from '../errors.js';
import { readCertificate, watchCertificate, type Certificate, type CertificateFiles } from './certificate.js';
import type { HealthReport } from './health.js';
import { healthRoutes } from './health-routes.js';
import { errorBody, installReplies, rawRefusal, SECURITY_HEADERS } from './replies.js';
import type { RouteModule } from './routes.js';

/** Bounds of what a stranger can make the server hold. Times in ms. */
export interface HttpLimits {
  /** Bytes of a request body. */
  readonly body: number;
  /** Bytes of a request's headers. */
  readonly headers: number;
  /** Open sockets; further ones are closed at once. */
  readonly connections: number;
  /** From the first byte of a request to its last. */
  readonly request: number;
  /** How long an idle socket is kept for the next request. */
  readonly keepAlive: number;
  /** How often sockets are looked at for `request`: the grain of that limit. */
  readonly check: number;
  /** How long `close` waits for requests under way before it cuts them. */
  readonly drain: number;
}

const HTTP_LIMITS: HttpLimits = {
  body: 64 * 1024,
  headers: 8 * 1024,
  connections: 200,
  request: 10_000,
  keepAlive: 5_000,
  check: 1_000,
  drain: 2_000,
};

export interface HttpServerOptions {
  /** Address to listen on: `127.0.0.1` unless the admin says otherwise (setting `http.host`). */
  readonly host: string;
  /** Setting `http.port`: 0 = no server at all. `any`: the system picks one (tests, demo). */
  readonly port: number | 'any';
  /** Given: it speaks TLS, and nothing else. */
  readonly tls?: CertificateFiles | undefined;
  readonly health: () => HealthReport;
  readonly log: Logger;
  readonly version: string;
  /** Further routes; each gets a scope of its own. */
  readonly routes?: readonly RouteModule[];
  readonly clock?: Clock;
  readonly limits?: Partial<HttpLimits>;
}

export interface HttpServer {
  /**
   * Listens and gives the base URL, such as `http://127.0.0.1:9470`; undefined when the port is 0. Call it once. Rejects with
   * PermanentError `ZPB_HTTP_CERTIFICATE` where the files of `tls` cannot be used.
   */
  listen(): Promise<string | undefined>;
  /** Takes no more requests, ends the open ones within `limits.drain`, frees the port. May be called more than once. */
  close(): Promise<void>;
}

/** Opens nothing by itself. `listen` rejects with PermanentError `ZPB_HTTP_ADDRESS` when the address cannot be had. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { host, port, tls, log, clock = systemClock } = options;
  const limits = { ...HTTP_LIMITS, ...options.limits };
  let app: FastifyInstance | undefined;
  let closing: Promise<void> | undefined;
  let endWatch: () => void = () => undefined;

  const listen = async (): Promise<string | undefined> => {
    if (port === 0 || closing !== undefined) return undefined;
    const built = buildApp(limits, log, tls === undefined ? undefined : await readCertificate(tls));
    app = built;
    const modules = [
      healthRoutes({ clock, version: options.version, health: options.health }),
      ...(options.routes ?? []),
    ];
    try {
      for (const module of modules) {
        const { prefix } = module;
        await app.register(async (scope) => module.register(scope), prefix === undefined ? {} : { prefix });
      }
      await app.listen({ host, port: port === 'any' ? 0 : port });
    } catch (thrown) {
      await close();
      throw addressError(host, port, thrown);
    }
    if (tls !== undefined) {
      const use = (next: Certificate): void => {
        // With a certificate it is a server of this kind.
        (built.server as unknown as Server).setSecureContext(next);
      };
      endWatch = watchCertificate(tls, { clock, log, use });
    }
    const base = `${tls === undefined ? 'http' : 'https'}://${hostAndPort(host, (app.server.address() as AddressInfo).port)}`;
    log.info({ url: base }, 'HTTP server listens');
    return base;
  };

  const shut = async (): Promise<void> => {
    endWatch();
    if (app === undefined) return;
    const { server } = app;
    const cancel = clock.after(limits.drain, () => {
      server.closeAllConnections();
    });
    try {
      await app.close();
    } finally {
      cancel();
    }
  };

  const close = (): Promise<void> => (closing ??= shut());
  return { listen, close };
}

function buildApp(limits: HttpLimits, log: Logger, certificate: Certificate | undefined): FastifyInstance {
  const bounds = {
    maxHeaderSize: limits.headers,
    headersTimeout: limits.request,
    // Node looks every 30 s by default, which would make any shorter limit a lie.
    connectionsCheckingInterval: limits.check,
  };
  const settings: FastifyServerOptions = {
    logger: false,
    bodyLimit: limits.body,
    requestTimeout: limits.request,
    keepAliveTimeout: limits.keepAlive,
    // Closing ends the idle sockets at once and lets requests under way come to an end.
    forceCloseConnections: 'idle',
    frameworkErrors: (_error, _request, reply) => {
      // Typed over every schema there could be; here there is none. No hook runs for it, so it brings its headers along.
      void (reply as unknown as FastifyReply)
        .code(400)
        .headers(SECURITY_HEADERS)
        .send(errorBody('ZPB_HTTP_BAD_REQUEST', 'The address cannot be understood.'));
    },
    clientErrorHandler: (error, socket) => {
      if (socket.writable && error.code !== 'ECONNRESET') socket.end(rawRefusal(error.code));
      else socket.destroy();
    },
  };
  const app =
    certificate === undefined
      ? fastify({ ...settings, http: bounds })
      : // Typed as another kind of server, which no route cares about.
        (fastify({
          ...settings,
          https: { ...bounds, ...certificate, handshakeTimeout: limits.request },
        } as unknown as FastifyServerOptions) as FastifyInstance);
  app.server.maxConnections = limits.connections;
  installReplies(app, log);
  return app;
}

const hostAndPort = (host: string, port: number | string): string => `${isIPv6(host) ? `[${host}]` : host}:${port}`;

/** Why an address cannot be listened on, by Node's error code, and what to do. */
const ADDRESS_REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE:
    'another program has this port. Stop it, or choose another with the setting http.port (0 = no HTTP server)',
  EACCES: 'this user may not use it. Choose a port above 1023 with the setting http.port',
  EADDRNOTAVAIL: 'this machine has no such address. Correct the setting http.host',
  ENOTFOUND: 'this host name is not known. Correct the setting http.host',
  EAI_AGAIN: 'this host name cannot be looked up now. Use an IP address in the setting http.host',
};

/** What `listen` threw, in the admin's words if it is about the address. */
function addressError(host: string, port: number | string, thrown: unknown): unknown {
  const { code } = thrown as NodeJS.ErrnoException;
  if (code === undefined || !('syscall' in (thrown as Error))) return thrown;
  const reason = ADDRESS_REASONS[code] ?? `the system says ${code}. Correct the settings http.host and http.port`;
  return new PermanentError('ZPB_HTTP_ADDRESS', `Cannot listen on ${hostAndPort(host, port)}: ${reason}.`, {
    cause: thrown,
  });
}
