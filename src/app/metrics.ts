import type { FastifyInstance } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Everything we count, under Prometheus names; one instance per process. */
export interface Metrics {
  readonly registry: Registry;
  /** Verdicts given at the pull gate, by `kind`: served, warned, refused. */
  readonly gateDecisions: Counter<'kind'>;
  /** Age of the advisory database in seconds, read when asked. */
  readonly advisoryAge: Gauge;
}

/** Creates the metrics; `advisoryBuiltAt` gives epoch ms of the database in use, or undefined. */
export function createMetrics(deps: { advisoryBuiltAt(): number | undefined; now(): number }): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gateDecisions = new Counter({
    name: 'breakwater_gate_decisions_total',
    help: 'Manifest pulls decided by the gate',
    labelNames: ['kind'],
    registers: [registry],
  });
  const advisoryAge = new Gauge({
    name: 'breakwater_advisories_age_seconds',
    help: 'Age of the advisory database in use; NaN when there is none',
    registers: [registry],
    collect() {
      const builtAt = deps.advisoryBuiltAt();
      this.set(builtAt === undefined ? Number.NaN : Math.round((deps.now() - builtAt) / 1000));
    },
  });
  return { registry, gateDecisions, advisoryAge };
}

/** Times every request of a server by route pattern, method and status. */
export function observeRequests(app: FastifyInstance, registry: Registry, server: string): void {
  const name = 'breakwater_http_request_duration_seconds';
  const durations =
    (registry.getSingleMetric(name) as Histogram<'server' | 'method' | 'route' | 'status'> | undefined) ??
    new Histogram({
      name,
      help: 'Duration of HTTP requests',
      labelNames: ['server', 'method', 'route', 'status'],
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60],
      registers: [registry],
    });
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown';
    durations.observe(
      { server, method: request.method, route, status: String(reply.statusCode) },
      reply.elapsedTime / 1000,
    );
    done();
  });
}
