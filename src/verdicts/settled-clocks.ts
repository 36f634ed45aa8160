import type { Finding } from '../model/finding.ts';
import type { Distribution } from '../model/inventory.ts';
import { createClockedRuns } from '../policy/clocked-parts.ts';
import {
  type Clock,
  type Clocks,
  clockKeysOfRun,
  clockOf,
  type FindingClock,
  type FindingClocks,
  findingClock,
  saysAsMuch,
} from '../policy/clocks.ts';
import { type FindingRun, runsOf } from '../policy/finding-runs.ts';
import type { Policy } from '../policy/policy.ts';
import { knowsParts } from './clock-marks.ts';
import { started } from './reckon.ts';

/**
 * Clocks of a repository that run with all that their findings are. Images that know the same of them have nothing to start, and need no
 * reckoning: theirs would come to these clocks. Others are reckoned.
 */
export interface SettledClocks extends FindingClocks {
  /** Whether reckoning these findings of an image comes to these clocks and starts none. */
  areAll(findings: readonly Finding[], image: Clocks): boolean;
}

interface Settled {
  readonly clock: Clock;
  readonly keys: readonly [string, ...string[]];
  /** A clock of images that knows the same: most images have the very same one. */
  alike?: Clock;
}

/** A run of findings of which each has its clock. */
interface SettledRun {
  readonly clocks: readonly FindingClock[];
  readonly each: readonly Settled[];
}

/** Settled clocks of a repository as it is now, for findings under these policies in images of a distribution. */
export function createSettledClocks(
  repository: Clocks,
  policies: readonly Policy[],
  distribution: Distribution | undefined,
): SettledClocks {
  const known = new Map<FindingRun, SettledRun | 'open'>();
  const running = new Map<string, FindingClock>();
  const partsOf = createClockedRuns(policies, distribution);

  function look(run: FindingRun): SettledRun | 'open' {
    const each: Settled[] = [];
    const clocks: FindingClock[] = [];
    const parts = partsOf(run);
    for (const [at, keys] of clockKeysOfRun(run).entries()) {
      const [finding, own] = [run[at], parts[at]];
      const clock = repository.get(keys[0]);
      // Where another name of it tells more, what images share depends on what else is in them.
      const settled =
        clock !== undefined &&
        (keys.length === 1 || clockOf(repository, keys) === clock) &&
        own !== undefined &&
        started(clock, own, Number.NaN) === clock;
      if (!settled || finding === undefined) return 'open';
      each.push({ clock, keys });
      clocks.push(runningFor(finding, keys[0], clock));
    }
    return { each, clocks };
  }

  /** Versions of a package share their clocks, and so the lines of these. */
  function runningFor(finding: Finding, key: string, clock: Clock): FindingClock {
    const before = running.get(key);
    if (before) return before;
    const made = findingClock(finding, clock);
    running.set(key, made);
    return made;
  }

  function settledRun(run: FindingRun): SettledRun | 'open' {
    const before = known.get(run);
    if (before !== undefined) return before;
    const found = look(run);
    known.set(run, found);
    return found;
  }

  return {
    ofRun(run) {
      const settled = settledRun(run);
      return settled === 'open' ? run.map(() => undefined) : settled.clocks;
    },
    areAll(findings, image) {
      for (const run of runsOf(findings)) {
        const settled = settledRun(run);
        if (settled === 'open' || !settled.each.every((one) => knowsTheSame(image, one))) return false;
      }
      return true;
    },
  };
}

/** True when an image knows what the repository does of a finding, and nothing more. */
function knowsTheSame(image: Clocks, settled: Settled): boolean {
  const { keys, clock } = settled;
  const inImage = image.get(keys[0]);
  if (inImage === undefined) return false;
  if (inImage !== settled.alike) {
    if (!knowsParts(inImage, clock) || !saysAsMuch(clock, inImage)) return false;
    settled.alike = inImage;
  }
  for (let at = 1; at < keys.length; at += 1) {
    const other = image.get(keys[at] ?? '');
    if (other !== undefined && !saysAsMuch(clock, other)) return false;
  }
  return true;
}
