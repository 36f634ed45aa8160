import type { Registry } from 'prom-client';
import { capabilitiesOf } from '../db/capabilities.ts';
import type { Schedule } from '../jobs/queue.ts';
import { createDeliverer } from '../notify/deliverer.ts';
import { createMailer } from '../notify/mailer.ts';
import { createNotifications, type Notifications } from '../notify/notifications.ts';
import { pruneNotifications } from '../notify/prune.ts';
import { createGuardedClient } from '../platform/guarded-request.ts';
import { tellDueReviews } from '../trust/review-due.ts';
import { type BlockedPulls, createBlockedPulls } from '../verdicts/blocked-pulls.ts';
import { tellEndingGrace } from '../verdicts/grace-ending.ts';
import { createTicketFacts } from '../verdicts/ticket-facts.ts';
import { createNotifyMetrics } from './notify-metrics.ts';
import type { Services } from './services.ts';
import { tellStaleAdvisories } from './stale-advisories.ts';

export interface NotifyParts {
  readonly notifications: Notifications;
  readonly blockedPulls: BlockedPulls;
  /** What time alone brings about. */
  readonly schedules: readonly Schedule[];
  start(): void;
  close(): Promise<void>;
}

/** Who is told of what happens: configuration, delivery, and the events that time makes. */
export function createNotifyParts(
  services: Services,
  { host, metrics }: { readonly host: string; readonly metrics: Registry },
): NotifyParts {
  const { db, clock, logger, config, box, ledger, advisories } = services;
  const clients = {
    open: createGuardedClient({ userAgent: 'breakwater', allowPrivate: true }),
    closed: createGuardedClient({ userAgent: 'breakwater', allowPrivate: false }),
  };
  const mailer =
    config.smtpUrl === undefined || config.mailFrom === undefined
      ? undefined
      : createMailer({ url: config.smtpUrl, from: config.mailFrom });
  const counters = createNotifyMetrics(metrics, { db, clock });
  const base = {
    db,
    clock,
    logger,
    box,
    ledger,
    clients,
    mailer,
    host,
    source: config.publicUrl ?? `http://${host}`,
    tickets: createTicketFacts(db),
    capabilities: capabilitiesOf(services.handle.engine),
    onOutcome: counters.note,
  };
  const deliverer = createDeliverer(base);
  const blockedPulls = createBlockedPulls(services);
  return {
    notifications: createNotifications(base),
    blockedPulls,
    schedules: [
      {
        kind: 'tell-of-time',
        everySeconds: 300,
        async handler() {
          await tellEndingGrace(services);
          await tellDueReviews(services);
          await tellStaleAdvisories({ db, clock, advisories, staleDays: config.advisoriesStaleDays });
        },
      },
      { kind: 'prune-notifications', everySeconds: 3600, handler: () => pruneNotifications(services) },
    ],
    start: () => deliverer.start(),
    async close() {
      await blockedPulls.idle();
      await deliverer.stop();
      mailer?.close();
      await Promise.all([clients.open.close(), clients.closed.close()]);
    },
  };
}
