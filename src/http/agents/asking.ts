/** What routes for agents are given, and how they look. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { SignedIn } from './door.js';
import type { Transport } from './transport.js';

export type FitTransport = Extract<Transport, { kind: 'fit' }>;

/** What a request is known by, in the routes. */
export interface Asking {
  /** Who asks. Not to be called in a route that is open to strangers. */
  readonly signedIn: (request: FastifyRequest) => SignedIn;
  readonly transport: (request: FastifyRequest) => FitTransport;
}

/** Routes for agents: each request that reaches them is signed in, and is the agent's own will. */
export interface AgentRoutes {
  readonly name: string;
  register(app: FastifyInstance, asking: Asking): void;
}

/** Set as the `config` of a route that needs no signing in. */
export const OPEN = { open: true } as const;
