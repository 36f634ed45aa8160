import type { Finding } from '../model/finding.ts';
import { type Clocks, clockKeysOf, firstSeenBy } from '../policy/clocks.ts';

/** The clocks of an image's findings at a moment. */
export interface Reckoning {
  readonly clocks: Clocks;
  /** Findings whose clock does not run yet in the repository, and in the manifest, by key. */
  readonly newInRepository: ReadonlyMap<string, Finding>;
  readonly newInImage: ReadonlyMap<string, Finding>;
}

/**
 * When each vulnerability of a package was first seen in the repository or in this very manifest anywhere, whichever was
 * earlier. A clock is started in the place that did not know it with what the other one knew, so that neither rebuilding
 * nor copying starts one anew. The order of the findings does not matter.
 */
export function reckon(findings: readonly Finding[], repository: Clocks, image: Clocks, now: number): Reckoning {
  const clocks = new Map<string, number>();
  const newInRepository = new Map<string, Finding>();
  const newInImage = new Map<string, Finding>();
  for (const finding of findings) {
    const keys = clockKeysOf(finding);
    const [own] = keys;
    const inRepository = firstSeenBy(repository, keys);
    const inImage = firstSeenBy(image, keys);
    // Two versions of a package in one image share their clock.
    clocks.set(own, Math.min(clocks.get(own) ?? now, inRepository ?? now, inImage ?? now));
    if (inRepository === undefined) newInRepository.set(own, finding);
    if (inImage === undefined) newInImage.set(own, finding);
  }
  return { clocks, newInRepository, newInImage };
}
