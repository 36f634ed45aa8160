import { clockOfAll, type FindingClock, type FindingClocks, findingClock } from '../policy/clocks.ts';
import type { FindingRun } from '../policy/finding-runs.ts';

/** The same clock for everything found, for decisions that depend on none. */
export function createOneClock(): FindingClocks {
  const clock = clockOfAll(0);
  const known = new WeakMap<FindingRun, readonly FindingClock[]>();
  return {
    ofRun(run) {
      const before = known.get(run);
      if (before) return before;
      const clocks = run.map((finding) => findingClock(finding, clock));
      known.set(run, clocks);
      return clocks;
    },
  };
}
