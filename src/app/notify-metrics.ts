import { Counter, Gauge, type Registry } from 'prom-client';
import type { Db } from '../db/database.ts';
import type { Outcome } from '../notify/outcome.ts';
import type { Clock } from '../platform/clock.ts';

/** Counts deliveries, and says how long the oldest one waits. */
export function createNotifyMetrics(
  registry: Registry,
  { db, clock }: { readonly db: Db; readonly clock: Clock },
): { readonly note: (kind: string, outcome: Outcome) => void } {
  const tries = new Counter({
    name: 'breakwater_notify_deliveries_total',
    help: 'Tries to tell a receiver, by its kind and what became of it',
    labelNames: ['kind', 'outcome'],
    registers: [registry],
  });
  const gauges = (['waiting', 'dead'] as const).map((state) => ({
    state,
    gauge: new Gauge({
      name: `breakwater_notify_messages_${state}`,
      help: state === 'waiting' ? 'Messages that no receiver took yet' : 'Messages that were given up',
      registers: [registry],
    }),
  }));
  const oldest: Gauge = new Gauge({
    name: 'breakwater_notify_oldest_waiting_seconds',
    help: 'Age of the oldest message that was not delivered, or event that no message was made of; 0 when there is none',
    registers: [registry],
    async collect() {
      const counts = await db
        .selectFrom('notify_messages')
        .select(({ fn }) => ['state', fn.countAll<number | string>().as('count')])
        .where('state', 'in', ['waiting', 'dead'])
        .groupBy('state')
        .execute();
      for (const { state, gauge } of gauges) gauge.set(Number(counts.find((one) => one.state === state)?.count ?? 0));
      const message = await db
        .selectFrom('notify_messages')
        .select(({ fn }) => fn.min('at').as('at'))
        .where('state', '=', 'waiting')
        .executeTakeFirst();
      const event = await db
        .selectFrom('outbox')
        .select('at')
        .where('dispatched_at', 'is', null)
        .orderBy('id')
        .limit(1)
        .executeTakeFirst();
      const since = Math.min(message?.at ?? Infinity, event?.at ?? Infinity);
      oldest.set(since === Infinity ? 0 : Math.max(0, (clock.now() - since) / 1000));
    },
  });
  return { note: (kind, { kind: outcome }) => tries.inc({ kind, outcome }) };
}
