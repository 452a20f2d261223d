/**
 * `/api/v1`: what an agent does for himself. One place decides who he is and whether the request is his own will: TLS or this machine,
 * no page of another origin, a token (`Authorization: Bearer`) or the cookie of a session with its CSRF token. Bodies are small JSON.
 */
import { timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { errorBody } from '../replies.js';
import type { RouteModule } from '../routes.js';
import type { AgentRoutes, Asking, FitTransport, OPEN } from './asking.js';
import { readCookie } from './cookie.js';
import type { AgentDoor, SignedIn } from './door.js';
import { NOT_NOW, notNowBody, orNotNow } from './not-now.js';
import { factsOf, one } from './request-facts.js';
import { foreignOrigin } from './same-origin.js';
import { sessionRoutes } from './session-routes.js';
import { createTransportJudge } from './transport.js';

export interface AgentApiOptions {
  readonly door: AgentDoor;
  /** Addresses of the reverse proxies that are trusted. */
  readonly trustProxy: readonly string[];
  readonly log: Logger;
  readonly count: (name: 'api_refused_total', labels: { readonly why: ApiRefusal }) => void;
  readonly routes: readonly AgentRoutes[];
}

/** Why a request did not reach its route. */
export type ApiRefusal = 'transport' | 'origin' | 'token' | 'csrf' | 'store';

/** A number and an extension need no more. */
const BODY_BYTES = 4 * 1024;

type Refusal = readonly [status: number, why: ApiRefusal, code: string, message: string];

export function agentApi(options: AgentApiOptions): RouteModule {
  const { door, count, log } = options;
  const judge = createTransportJudge(options.trustProxy);
  const known = new WeakMap<FastifyRequest, { readonly transport: FitTransport; readonly signedIn?: SignedIn }>();

  const refuse = (reply: FastifyReply, [status, why, code, message]: Refusal): FastifyReply => {
    count('api_refused_total', { why });
    if (status === 401) void reply.header('www-authenticate', 'Bearer realm="zammad-pbx-bridge"');
    if (status === 503) void reply.header('retry-after', '2');
    // What of the body is still to come is not waited for.
    return reply.code(status).header('connection', 'close').send(errorBody(code, message));
  };

  const look = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const transport = judge(factsOf(request));
    if (transport.kind === 'unfit')
      return refuse(reply, [transport.status, 'transport', transport.code, transport.message]);
    const bearer = bearerOf(request);
    const { headers, method } = request;
    const facts = { method, origin: headers.origin, fetchSite: one(headers['sec-fetch-site']) };
    // Without token and cookie there is nobody whom a page could abuse, but in a route that is open: signing in.
    const byCookie =
      bearer === undefined && (isOpen(request) || readCookie(headers.cookie, transport.secure) !== undefined);
    const foreign = foreignOrigin({ ...facts, byCookie }, transport.origin);
    if (foreign !== undefined) return refuse(reply, [403, 'origin', 'ZPB_HTTP_ORIGIN', foreign]);
    if (isOpen(request)) {
      known.set(request, { transport });
      return undefined;
    }
    const signedIn = await orNotNow(whoIs(request, bearer, transport), log);
    if (signedIn === NOT_NOW) return refuse(reply, NO_STORE);
    if (signedIn === undefined) return refuse(reply, STRANGER);
    if (bearer === undefined && !hasCsrf(request, signedIn)) return refuse(reply, NO_CSRF);
    known.set(request, { transport, signedIn });
    return undefined;
  };

  const whoIs = (
    request: FastifyRequest,
    bearer: string | undefined,
    { secure }: FitTransport,
  ): Promise<SignedIn | undefined> => {
    if (bearer !== undefined) return door.byToken(bearer);
    const cookie = readCookie(request.headers.cookie, secure);
    return cookie === undefined ? Promise.resolve(undefined) : door.bySession(cookie);
  };

  const asking: Asking = {
    signedIn: (request) => must(known.get(request)?.signedIn),
    transport: (request) => must(known.get(request)?.transport),
  };
  return {
    name: 'agents',
    prefix: '/api/v1',
    register: (app) => {
      app.removeAllContentTypeParsers();
      app.addContentTypeParser(
        'application/json',
        { parseAs: 'string', bodyLimit: BODY_BYTES },
        app.getDefaultJsonParser('error', 'error'),
      );
      app.addHook('onRequest', look);
      for (const routes of [sessionRoutes(door, log), ...options.routes]) routes.register(app, asking);
    },
  };
}

const STRANGER: Refusal = [
  401,
  'token',
  'ZPB_TOKEN_UNKNOWN',
  'Sign in first: the token is missing, unknown, or was revoked, or its agent is not configured any more. Programs send the header "Authorization: Bearer TOKEN".',
];
const NO_CSRF: Refusal = [403, 'csrf', 'ZPB_CSRF', 'The header X-CSRF-Token is missing or wrong: reload the page.'];
const NO_STORE: Refusal = [503, 'store', notNowBody.error.code, notNowBody.error.message];

const bearerOf = ({ headers }: FastifyRequest): string | undefined =>
  headers.authorization === undefined ? undefined : (/^Bearer +(\S+)$/i.exec(headers.authorization)?.[1] ?? '');

const isOpen = ({ routeOptions }: FastifyRequest): boolean =>
  (routeOptions.config as Partial<typeof OPEN>).open === true;

/** Reading does nothing that a foreign page could want done. */
function hasCsrf({ method, headers }: FastifyRequest, { csrf }: SignedIn): boolean {
  if (method === 'GET' || method === 'HEAD') return true;
  const [sent, own] = [Buffer.from(one(headers['x-csrf-token']) ?? ''), Buffer.from(csrf ?? '')];
  return own.length > 0 && sent.length === own.length && timingSafeEqual(sent, own);
}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a route for agents was reached without its look at the door');
  return value;
}
