import type { FastifyInstance } from 'fastify';

/**
 * A set of pages or hooks that hangs on the one HTTP server. It gets a scope of its own: hooks and parsers that it adds
 * hold for its routes only. What it opens it closes in an `onClose` hook.
 */
export interface RouteModule {
  /** For logs and errors. */
  readonly name: string;
  /** Path before all its routes, such as `/hooks`; none = the root. */
  readonly prefix?: string;
  register(app: FastifyInstance): void | Promise<void>;
}
