import type { Clock } from '../clock.js';
import { type HealthReport, readiness } from './health.js';
import type { RouteModule } from './routes.js';

export interface HealthRoutesOptions {
  readonly clock: Clock;
  readonly version: string;
  /** Cheap and synchronous: a probe must not wait for anything. */
  readonly health: () => HealthReport;
}

/**
 * `/healthz`: 200 while the process lives and its event loop turns (restart it when not).
 * `/readyz`: 200 when every PBX is heard and every Zammad takes posts, else 503; the body says which is not, and why.
 */
export function healthRoutes({ clock, version, health }: HealthRoutesOptions): RouteModule {
  const startedAt = clock.monotonic();
  return {
    name: 'health',
    register: (app) => {
      app.get('/healthz', () => ({
        status: 'ok',
        version,
        /** Whole seconds. */
        uptime: Math.floor((clock.monotonic() - startedAt) / 1000),
      }));
      app.get('/readyz', (_request, reply) => {
        const body = readiness(health(), version);
        return reply.code(body.status === 'ready' ? 200 : 503).send(body);
      });
    },
  };
}
