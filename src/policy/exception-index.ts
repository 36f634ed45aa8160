import type { Finding } from '../model/finding.ts';
import { concernsFinding, concernsImage, type ExceptedImage, idsOf } from './exception-match.ts';
import type { ExceptionRule, GrantedException } from './exceptions.ts';
import type { FindingRun } from './finding-runs.ts';

/** The exceptions that may concern one image, by what they are about. */
export interface ImageExceptions {
  /** False where none speaks of any of these findings, whatever the image. */
  mayConcern(run: FindingRun): boolean;
  aboutFinding(finding: Finding): readonly GrantedException[];
  aboutRule(rule: ExceptionRule): readonly GrantedException[];
}

interface Index {
  readonly byVulnerability: ReadonlyMap<string, readonly GrantedException[]>;
  readonly byRule: ReadonlyMap<string, readonly GrantedException[]>;
  readonly named: WeakMap<FindingRun, boolean>;
}

const NONE: readonly GrantedException[] = [];
const NO_EXCEPTIONS: ImageExceptions = { mayConcern: () => false, aboutFinding: () => NONE, aboutRule: () => NONE };
const indexes = new WeakMap<readonly GrantedException[], Index>();

/** Looks exceptions up by what they name, so that ten thousand of them cost an image no more than a few. */
export function exceptionsOf(exceptions: readonly GrantedException[], image: ExceptedImage): ImageExceptions {
  if (exceptions.length === 0) return NO_EXCEPTIONS;
  const { byVulnerability, byRule, named: namedIn } = indexOf(exceptions);
  return {
    mayConcern(run) {
      const known = namedIn.get(run);
      if (known !== undefined) return known;
      const found = run.some((finding) => idsOf(finding).some((id) => byVulnerability.has(id)));
      namedIn.set(run, found);
      return found;
    },
    aboutFinding(finding) {
      const named = idsOf(finding).flatMap((id) => byVulnerability.get(id) ?? NONE);
      if (named.length === 0) return NONE;
      return named.filter((exception) => concernsFinding(exception, finding) && concernsImage(exception, image));
    },
    aboutRule(rule) {
      // Only ever for one digest.
      return (byRule.get(`${rule} ${image.digest}`) ?? NONE).filter((exception) => concernsImage(exception, image));
    },
  };
}

/** One list of exceptions serves many images. */
function indexOf(exceptions: readonly GrantedException[]): Index {
  const known = indexes.get(exceptions);
  if (known) return known;
  const made = {
    byVulnerability: Map.groupBy(
      exceptions.filter(({ vulnerability }) => vulnerability !== undefined),
      ({ vulnerability = '' }) => vulnerability.toLowerCase(),
    ),
    byRule: Map.groupBy(
      exceptions.filter(({ rule, digest }) => rule !== undefined && digest !== undefined),
      ({ rule, digest }) => `${rule} ${digest}`,
    ),
    named: new WeakMap<FindingRun, boolean>(),
  };
  indexes.set(exceptions, made);
  return made;
}
