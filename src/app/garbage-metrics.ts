import { Counter, Gauge, type Registry } from 'prom-client';
import type { GcStatus, Summary } from '../gc/garbage-collector.ts';

export interface GarbageMetrics {
  ran(summary: Summary): void;
  scrubbed(done: { readonly checked: number; readonly bytes: number; readonly damaged: number }): void;
  /** Shows the queue and what projects hold, which are read when somebody asks for the metrics. */
  watch(read: { readonly status: () => Promise<GcStatus>; readonly usedBytes: () => Promise<number> }): void;
}

/** What garbage collection counts. */
export function createGarbageMetrics(registry: Registry): GarbageMetrics {
  const counter = (name: string, help: string) => new Counter({ name, help, registers: [registry] });
  const deleted = new Counter({
    name: 'breakwater_gc_deleted_total',
    help: 'Manifests, links of blobs in a repository, and blobs that garbage collection deleted',
    labelNames: ['kind'],
    registers: [registry],
  });
  const freed = counter('breakwater_gc_freed_bytes_total', 'Bytes of manifests and blobs that were deleted');
  const failures = counter('breakwater_gc_failures_total', 'Reviews that failed and will be tried again');
  const scrubbed = counter('breakwater_scrub_bytes_total', 'Bytes of stored blobs that were read again');
  const damaged = counter('breakwater_scrub_damaged_total', 'Stored blobs found damaged or lost');
  return {
    ran(summary) {
      for (const [kind, count] of Object.entries(summary.deleted)) deleted.inc({ kind }, count);
      freed.inc(summary.bytes);
      failures.inc(summary.failed);
    },
    scrubbed(done) {
      scrubbed.inc(done.bytes);
      damaged.inc(done.damaged);
    },
    watch({ status, usedBytes }) {
      const used: Gauge = new Gauge({
        name: 'breakwater_project_usage_bytes',
        help: 'Bytes that all projects hold together; content that is in several projects counts in each',
        registers: [registry],
        async collect(): Promise<void> {
          used.set((await usedBytes().catch(() => undefined)) ?? Number.NaN);
        },
      });
      const queue: Gauge<'kind' | 'state'> = new Gauge({
        name: 'breakwater_gc_queue',
        help: 'Reviews by state: waiting (all), due, overdue (due for more than an hour), failing',
        labelNames: ['kind', 'state'],
        registers: [registry],
        async collect(): Promise<void> {
          // Without the database the other metrics are wanted all the more.
          const read = await status().catch(() => undefined);
          if (!read) {
            queue.reset();
            return;
          }
          for (const [kind, { waiting, due, overdue, failing }] of Object.entries(read.queue))
            for (const [state, count] of Object.entries({ waiting, due, overdue, failing }))
              queue.set({ kind, state }, count);
        },
      });
    },
  };
}
