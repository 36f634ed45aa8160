import Fastify, { type FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';

/** One condition of readiness. What hits only this replica makes it unready; what hits all at once makes it degraded. */
export interface Check {
  readonly name: string;
  readonly severity: 'unready' | 'degraded';
  /** Undefined when all is well, else one sentence. Must be quick. */
  check(): Promise<string | undefined>;
}

/** `/livez`, `/readyz` and `/metrics`, on a port of their own. */
export function createHealthServer(deps: {
  readonly metrics: Registry;
  readonly checks: readonly Check[];
}): FastifyInstance {
  const app = Fastify({ logger: false });
  app.get('/livez', async () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const results = await Promise.all(
      deps.checks.map(async (one) => ({ name: one.name, severity: one.severity, problem: await one.check() })),
    );
    const problems = results.filter((result) => result.problem !== undefined);
    const unready = problems.some((result) => result.severity === 'unready');
    return reply
      .code(unready ? 503 : 200)
      .send({ status: unready ? 'unready' : problems.length > 0 ? 'degraded' : 'ok', problems });
  });
  app.get('/metrics', async (_request, reply) =>
    reply.type(deps.metrics.contentType).send(await deps.metrics.metrics()),
  );
  return app;
}
