import type { RouteModule } from './routes.js';

/** Where the numbers come from. */
export interface MetricsSource {
  text(): Promise<string>;
  readonly contentType: string;
}

/** `/metrics`: every counter and gauge of docs/metrics.md, for Prometheus. They hold no phone number, name or secret. */
export const metricsRoutes = (source: MetricsSource): RouteModule => ({
  name: 'metrics',
  register: (app) => {
    app.get('/metrics', async (_request, reply) => {
      const text = await source.text();
      return reply.type(source.contentType).send(text);
    });
  },
});
