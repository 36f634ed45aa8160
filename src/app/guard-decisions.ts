import { type AdmissionHistory, createAdmissionHistory } from '../admission/admission-history.ts';
import type { PinningOptions } from '../admission/pinning.ts';
import type { AdmissionRecorder } from '../admission/recorder.ts';
import { createReviewMemory, type ReviewMemory } from '../admission/review-memory.ts';
import type { LiveCache } from '../audit/live-cache.ts';
import { recordRuns } from '../audit/run-recorder.ts';
import { type Config } from '../config.ts';
import type { Clock } from '../platform/clock.ts';
import { listed } from '../platform/listed.ts';

export interface DecisionDeps {
  readonly config: Pick<Config, 'guardControllers' | 'guardBreakGlassGroups' | 'guardPinning'>;
  readonly clock: Clock;
  /** Absent without access to a cluster: then nobody is known to live. */
  readonly cache?: LiveCache | undefined;
  /** An empty one when absent. */
  readonly history?: AdmissionHistory | undefined;
  readonly recorder?: AdmissionRecorder | undefined;
  /** Whether what came in at that moment may have come in while no guard answered. */
  readonly cameInUnseen?: (at: number) => boolean;
}

/** What the webhook decides with beside rules and facts. */
export interface Decisions {
  readonly memory: ReviewMemory;
  /** Absent where images are not pinned. */
  readonly pinning?: PinningOptions;
  stop(): void;
}

/** Puts together who lives, what ran, who may do what, and where findings go. */
export function openDecisions({ config, clock, cache, recorder, ...deps }: DecisionDeps): Decisions {
  const history = deps.history ?? createAdmissionHistory();
  const settings = {
    controllers: listed(config.guardControllers),
    breakGlassGroups: listed(config.guardBreakGlassGroups),
  };
  return {
    memory: createReviewMemory({ clock, live: cache, history, recorder, settings, cameInUnseen: deps.cameInUnseen }),
    ...(config.guardPinning === 'off' ? {} : { pinning: { templates: config.guardPinning === 'templates' } }),
    stop: cache ? recordRuns(cache, history.runs, clock, deps.cameInUnseen) : () => undefined,
  };
}
