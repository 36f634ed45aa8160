import type { LiveWorkloads } from '../constraints/live-workloads.ts';
import type { Clock } from '../platform/clock.ts';
import { type AdmissionHistory, createAdmissionHistory } from './admission-history.ts';
import { createRecentWorkloads, NO_WORKLOADS, type RecentWorkloads } from './recent-workloads.ts';
import { type AdmissionRecorder, NO_RECORDER } from './recorder.ts';
import { controllerNames } from './restart.ts';

/** What an installation says about who may what. */
export interface ReviewSettings {
  /** Users, beside Kubernetes' own controllers, that make objects for living owners: those of operators. */
  readonly controllers: readonly string[];
  /** Groups whose members may break the glass; empty = nobody. */
  readonly breakGlassGroups: readonly string[];
}

/** What a review knows beyond the request and the rules, and where it leaves what it found. All in memory. */
export interface ReviewMemory {
  readonly live: RecentWorkloads;
  readonly history: AdmissionHistory;
  readonly recorder: AdmissionRecorder;
  readonly clock: Clock;
  readonly controllers: ReadonlySet<string>;
  readonly breakGlassGroups: ReadonlySet<string>;
  /** Whether what came in at that moment may have come in while no guard answered. */
  readonly cameInUnseen: (at: number) => boolean;
}

/** Everything but the clock may be absent: then nobody is known to live, and nothing is recorded. */
export function createReviewMemory(options: {
  readonly clock: Clock;
  readonly live?: LiveWorkloads | undefined;
  readonly history?: AdmissionHistory | undefined;
  readonly recorder?: AdmissionRecorder | undefined;
  readonly settings?: ReviewSettings | undefined;
  readonly cameInUnseen?: ((at: number) => boolean) | undefined;
}): ReviewMemory {
  const { clock, settings } = options;
  return {
    clock,
    live: createRecentWorkloads(options.live ?? NO_WORKLOADS, clock),
    history: options.history ?? createAdmissionHistory(),
    recorder: options.recorder ?? NO_RECORDER,
    controllers: controllerNames(settings?.controllers ?? []),
    breakGlassGroups: new Set(settings?.breakGlassGroups),
    cameInUnseen: options.cameInUnseen ?? (() => false),
  };
}
