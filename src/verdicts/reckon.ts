import type { Finding } from '../model/finding.ts';
import type { ClockedParts } from '../policy/clocked-parts.ts';
import {
  type Clock,
  type Clocks,
  clockKeysOf,
  clockOf,
  earlierClock,
  newestScore,
  toldSince,
} from '../policy/clocks.ts';
import { knowsParts, type Mark, marksOf, SEEN, scoreName, withMark } from './clock-marks.ts';

/** What of a clock is to be started in a place. */
export interface Started {
  readonly finding: Finding;
  readonly marks: readonly Mark[];
}

/** The clocks of an image's findings at a moment. */
export interface Reckoning {
  readonly clocks: Clocks;
  /** What does not run yet in the repository, and in the manifest, by key. */
  readonly newInRepository: ReadonlyMap<string, Started>;
  readonly newInImage: ReadonlyMap<string, Started>;
}

export const NOTHING_STARTED: Reckoning = { clocks: new Map(), newInRepository: new Map(), newInImage: new Map() };

/**
 * When each vulnerability of a package was first seen in the repository or in this very manifest anywhere, whichever was
 * earlier, and since when it is what it is: fixable, exploited, as severe. A clock is started in the place that did not know
 * it with what the other one knew, so that neither rebuilding nor copying starts one anew. The order of the findings does not
 * matter.
 */
export function reckon(
  findings: readonly Finding[],
  { repository, image, partsOf }: { repository: Clocks; image: Clocks; partsOf: (finding: Finding) => ClockedParts },
  now: number,
): Reckoning {
  const clocks = new Map<string, Clock>();
  const newInRepository = new Map<string, Started>();
  const newInImage = new Map<string, Started>();
  for (const finding of findings) {
    const keys = clockKeysOf(finding);
    const [own] = keys;
    const inRepository = clockOf(repository, keys);
    const inImage = clockOf(image, keys);
    const running = earlierClock(inRepository, inImage);
    const clock = placed(started(running, partsOf(finding), now), inRepository, now);
    // Two versions of a package in one image share their clock.
    const shared = earlierClock(clocks.get(own), clock) ?? clock;
    clocks.set(own, shared);
    note(newInRepository, own, finding, inRepository, shared);
    const { here: _here, ...anywhere } = shared;
    note(newInImage, own, finding, inImage, shared.here === undefined ? shared : anywhere);
  }
  return { clocks, newInRepository, newInImage };
}

/** A clock that started elsewhere, with the moment at which the repository saw it. */
function placed(clock: Clock, inRepository: Clock | undefined, now: number): Clock {
  const here = inRepository ? toldSince(inRepository) : now;
  return clock.firstSeen < here && clock.here !== here ? { ...clock, here } : clock;
}

/** A clock with everything started that the finding is; the same one where it runs already. */
export function started(running: Clock | undefined, { parts, likely }: ClockedParts, now: number): Clock {
  let clock: Clock = running ?? { firstSeen: now };
  for (const part of parts) if (clock[part] === undefined) clock = { ...clock, [part]: now };
  if (!likely) return clock;
  const newest = newestScore(clock, likely.threshold);
  // A score that never reached the threshold has nothing to fall from.
  if ((newest?.above ?? false) === likely.above) return clock;
  // Later than the mark it follows, also where replicas do not agree about the time.
  return withMark(clock, { name: scoreName(likely), at: Math.max(now, (newest?.at ?? now) + (newest ? 1 : 0)) });
}

/** What the place does not know yet of a clock; parts it knows keep the moment they have there. */
function note(into: Map<string, Started>, key: string, finding: Finding, known: Clock | undefined, clock: Clock): void {
  if (known === clock || (known && knowsParts(known, clock))) return;
  const told = new Set(known ? marksOf(known).map(nameInPlace) : []);
  const marks = marksOf(clock).filter((mark) => !told.has(nameInPlace(mark)));
  if (marks.length > 0) into.set(key, { finding, marks });
}

/** Scores rise and fall again and again; all else begins once. */
function nameInPlace({ name, at }: Mark): string {
  return name.startsWith('epss') ? `${name}@${at}` : name;
}

/** When the clock itself was started, among its marks. */
export function seenAt(marks: readonly Mark[]): number | undefined {
  return marks.find(({ name }) => name === SEEN)?.at;
}
