import type { Finding } from '../model/finding.ts';
import type { Distribution } from '../model/inventory.ts';
import { createClockedParts } from '../policy/clocked-parts.ts';
import type { Clock, Clocks, FindingClocks } from '../policy/clocks.ts';
import type { Policy } from '../policy/policy.ts';
import { type Mark, withMark } from './clock-marks.ts';
import { NOTHING_STARTED, type Reckoning, reckon, seenAt } from './reckon.ts';
import { createSettledClocks, type SettledClocks } from './settled-clocks.ts';

/** The clocks of one repository while its images are judged one after the other. */
export interface RepositoryClocks {
  /** Reckons the clocks of an image's findings. What they start runs from then on, here and in `image`. */
  reckon(findings: readonly Finding[], of: ReckonedImage): Reckoned;
}

export interface ReckonedImage {
  readonly image: Map<string, Clock>;
  /** Those that count and those to come. */
  readonly policies: readonly Policy[];
  readonly distribution: Distribution | undefined;
  /** Epoch ms. */
  readonly now: number;
}

export interface Reckoned {
  readonly clocks: Clocks | FindingClocks;
  readonly reckoning: Reckoning;
}

export function createRepositoryClocks(running: Map<string, Clock>): RepositoryClocks {
  const settled = new Map<string, SettledClocks>();
  let settledUnder: readonly Policy[] = [];

  function settledFor(policies: readonly Policy[], distribution: Distribution | undefined): SettledClocks {
    if (policies.length !== settledUnder.length || policies.some((policy, at) => policy !== settledUnder[at]))
      settled.clear();
    settledUnder = policies;
    const key = JSON.stringify([distribution?.id, distribution?.idLike]);
    const known = settled.get(key) ?? createSettledClocks(running, policies, distribution);
    settled.set(key, known);
    return known;
  }

  return {
    reckon(findings, { image, policies, distribution, now }) {
      const clocks = settledFor(policies, distribution);
      if (clocks.areAll(findings, image)) return { clocks, reckoning: NOTHING_STARTED };
      const partsOf = createClockedParts(policies, distribution);
      const reckoning = reckon(findings, { repository: running, image, partsOf }, now);
      run(running, reckoning.newInRepository, (key) => reckoning.clocks.get(key)?.firstSeen);
      run(image, reckoning.newInImage, (_, marks) => marks[0]?.at);
      if (reckoning.newInRepository.size > 0) settled.clear();
      return { clocks: reckoning.clocks, reckoning };
    },
  };
}

/**
 * Notes that clocks run now, for the images that follow. One that ran under another name already was not seen first now: `seenUnder` says when,
 * as what is stored does.
 */
function run(
  running: Map<string, Clock>,
  started: Reckoning['newInImage'],
  seenUnder: (key: string, marks: readonly Mark[]) => number | undefined,
): void {
  for (const [key, { marks }] of started) {
    const clock = running.get(key) ?? { firstSeen: seenAt(marks) ?? seenUnder(key, marks) ?? Number.POSITIVE_INFINITY };
    running.set(key, marks.reduce(withMark, clock));
  }
}
