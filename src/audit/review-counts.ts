import { Counter, type Metric, type Registry } from 'prom-client';

/** Counts answers to reviews at the price of a few additions; what makes a metric of them is done when somebody asks for it. */
export interface ReviewCounts {
  /** A review was answered after so many seconds. */
  add(allowed: boolean, dryRun: boolean, seconds: number): void;
}

const STATUSES = ['allow', 'deny'] as const;
const BUCKETS = [
  0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.007, 0.008, 0.009, 0.01, 0.02, 0.03, 0.04, 0.05, 1, 2, 3, 4, 5,
];
const COUNT = 'gatekeeper_validation_request_count';
const DURATION = 'gatekeeper_validation_request_duration_seconds';

/** Registers both metrics under Gatekeeper's names. */
export function createReviewCounts(registry: Registry): ReviewCounts {
  const real = { allow: 0, deny: 0 };
  const dry = { allow: 0, deny: 0 };
  const sums = { allow: 0, deny: 0 };
  /** By the first bucket that has room for it; the last one for what is slower than all. */
  const buckets = {
    allow: new Float64Array(BUCKETS.length + 1),
    deny: new Float64Array(BUCKETS.length + 1),
  };

  const count = new Counter({
    name: COUNT,
    help: 'Reviews that were answered',
    labelNames: ['admission_status', 'admission_dryrun'],
    registers: [registry],
    collect() {
      count.reset();
      for (const admission_status of STATUSES) {
        if (real[admission_status] > 0)
          count.inc({ admission_status, admission_dryrun: 'false' }, real[admission_status]);
        if (dry[admission_status] > 0) count.inc({ admission_status, admission_dryrun: 'true' }, dry[admission_status]);
      }
    },
  });

  function values() {
    return STATUSES.filter((status) => real[status] + dry[status] > 0).flatMap((admission_status) => {
      const sample = (metricName: string, value: number, le?: number | string) => ({
        metricName,
        value,
        labels: le === undefined ? { admission_status } : { le, admission_status },
      });
      let below = 0;
      const filled = [...BUCKETS, '+Inf'].map((le, at) => {
        below += buckets[admission_status][at] ?? 0;
        return sample(`${DURATION}_bucket`, below, le);
      });
      return [...filled, sample(`${DURATION}_sum`, sums[admission_status]), sample(`${DURATION}_count`, below)];
    });
  }
  const duration = { name: DURATION, help: 'How long reviews took', type: 'histogram', aggregator: 'sum' };
  // A registry takes whatever can be asked for its values.
  registry.registerMetric({ ...duration, get: async () => ({ ...duration, values: values() }) } as unknown as Metric);

  return {
    add(allowed, dryRun, seconds) {
      const status = allowed ? 'allow' : 'deny';
      if (dryRun) dry[status] += 1;
      else real[status] += 1;
      sums[status] += seconds;
      let at = 0;
      while (seconds > (BUCKETS[at] ?? Infinity)) at += 1;
      const counts = buckets[status];
      counts[at] = (counts[at] ?? 0) + 1;
    },
  };
}
