import type { AffectedRange } from '../../matcher/lookup.ts';
import { compareVersions, type Order, type VersionScheme } from '../../versions/index.ts';

/** Comparisons remembered: the lists of versions of one package are alike in hundreds of records. */
const MAX_REMEMBERED = 100_000;

/**
 * True when a version lies in one of the ranges: what `contains` says of them one by one, for the long lists of versions in
 * bulk files.
 */
export function isCovered(scheme: VersionScheme, ranges: readonly AffectedRange[], version: string): boolean {
  if (order(scheme, version, version) === undefined) return false;
  return ranges.some(({ introduced, fixed, lastAffected }) => {
    if (introduced !== undefined && (order(scheme, version, introduced) ?? -1) < 0) return false;
    if (fixed !== undefined && order(scheme, version, fixed) !== -1) return false;
    return lastAffected === undefined || (order(scheme, version, lastAffected) ?? 1) <= 0;
  });
}

const remembered = new Map<string, Map<string, Order | undefined>>();
let count = 0;

/** Order of a version and a bound; a version and itself tell whether it is one. Remembered by bound, for a while. */
function order(scheme: VersionScheme, version: string, bound: string): Order | undefined {
  const key = version === bound ? scheme : `${scheme} ${bound}`;
  let known = remembered.get(key);
  if (known === undefined) {
    known = new Map();
    remembered.set(key, known);
  }
  const found = known.get(version);
  if (found !== undefined || known.has(version)) return found;
  const compared = compareVersions(scheme, version, bound);
  if (count >= MAX_REMEMBERED) {
    remembered.clear();
    count = 0;
  } else {
    known.set(version, compared);
    count += 1;
  }
  return compared;
}
