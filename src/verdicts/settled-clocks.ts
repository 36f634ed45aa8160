import type { Finding } from '../model/finding.ts';
import type { Distribution } from '../model/inventory.ts';
import { createClockedParts } from '../policy/clocked-parts.ts';
import {
  type Clock,
  type Clocks,
  clockKeysOf,
  clockOf,
  type FindingClock,
  type FindingClocks,
  findingClock,
  saysAsMuch,
} from '../policy/clocks.ts';
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
  readonly running: FindingClock;
  readonly keys: readonly [string, ...string[]];
  /** A clock of images that knows the same: most images have the very same one. */
  alike?: Clock;
}

/** Settled clocks of a repository as it is now, for findings under these policies in images of a distribution. */
export function createSettledClocks(
  repository: Clocks,
  policies: readonly Policy[],
  distribution: Distribution | undefined,
): SettledClocks {
  const known = new Map<Finding, Settled | 'open'>();
  const partsOf = createClockedParts(policies, distribution);

  function look(finding: Finding): Settled | 'open' {
    const keys = clockKeysOf(finding);
    const clock = repository.get(keys[0]);
    // Where another name of it tells more, what images share depends on what else is in them.
    const settled =
      clock !== undefined &&
      clockOf(repository, keys) === clock &&
      started(clock, partsOf(finding), Number.NaN) === clock;
    const result = settled ? { running: findingClock(finding, clock), keys } : 'open';
    known.set(finding, result);
    return result;
  }

  function isSettled(finding: Finding, image: Clocks): boolean {
    const settled = known.get(finding) ?? look(finding);
    if (settled === 'open') return false;
    const { keys } = settled;
    const { clock } = settled.running;
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

  return {
    of(finding) {
      const settled = known.get(finding) ?? look(finding);
      return settled === 'open' ? undefined : settled.running;
    },
    areAll(findings, image) {
      for (const finding of findings) if (!isSettled(finding, image)) return false;
      return true;
    },
  };
}
