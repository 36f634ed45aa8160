import { Counter, type Registry } from 'prom-client';
import type { GuardCertificates } from '../guard/certificates.ts';
import type { Clock } from '../platform/clock.ts';
import { gaugesIn } from './gauges.ts';
import type { ReplicaParts } from './guard-replica.ts';

export interface GuardMetrics {
  /** Counts a request that was left to the failure policy. */
  undecided(why: string): void;
}

/** The metrics of the guard's own health; what it decides is counted elsewhere. */
export function observeGuard(
  registry: Registry,
  deps: { readonly clock: Clock; readonly certificates: GuardCertificates; readonly replica: ReplicaParts | undefined },
): GuardMetrics {
  const { clock, certificates, replica } = deps;
  const gauge = gaugesIn(registry);
  const undecided = new Counter({
    name: 'breakwater_guard_undecided_reviews_total',
    help: 'Admission reviews that were left to the failure policy',
    registers: [registry],
  });
  gauge('breakwater_guard_certificate_expiry_seconds', 'Seconds until the served certificate ends', () =>
    Math.round((certificates.endsAt() - clock.now()) / 1000),
  );
  gauge('breakwater_guard_certificate_rotating', 'A change of the webhook certificates is under way', () =>
    certificates.busy() ? 1 : 0,
  );
  if (replica) {
    gauge('breakwater_guard_probe_success', 'The last dry run came through the API server to a guard and back', () =>
      replica.lastProbe()?.outcome === 'answered' ? 1 : 0,
    );
    gauge('breakwater_guard_probe_age_seconds', 'Since a dry run last came through; NaN when none did', () => {
      const at = replica.provenAt();
      return at === undefined ? Number.NaN : (clock.now() - at) / 1000;
    });
    gauge('breakwater_guard_absence_seconds', 'How long no guard was asked, of all that is remembered', () =>
      replica.absence.intervals().reduce((sum, { from, to }) => sum + ((to ?? clock.now()) - from) / 1000, 0),
    );
  }

  return { undecided: () => undecided.inc() };
}
