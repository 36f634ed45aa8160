import { isPlatform, rangeOf } from './exception-match.ts';
import type { ExceptionScope, GrantedException } from './exceptions.ts';
import { isGlobWithin } from './glob-within.ts';
import { isRangeWithin } from './version-range.ts';

type Dated = ExceptionScope & Pick<GrantedException, 'until' | 'fixDays'>;

/**
 * True only when the first exception is known to concern nothing the second does not, and never longer. Whoever decides about a
 * request may make it narrower and shorter in this sense, and in no other. Both are read as about the same project, unless they are
 * about all.
 */
export function isNarrower(a: Dated, b: Dated): boolean {
  return isSubject(a, b) && isPlace(a, b) && isPackageWithin(a, b) && isVersionWithin(a, b) && isShorter(a, b);
}

function isSubject(a: Dated, b: Dated): boolean {
  return a.vulnerability?.toLowerCase() === b.vulnerability?.toLowerCase() && a.rule === b.rule;
}

function isPlace(a: Dated, b: Dated): boolean {
  // A glob means paths below the project here, and full names there.
  if (a.everywhere !== b.everywhere) return false;
  if (b.digest !== undefined && a.digest !== b.digest) return false;
  if (b.platform !== undefined && !isPlatform(b.platform, a.platform)) return false;
  if (b.repository === undefined) return true;
  return a.repository !== undefined && isGlobWithin(a.repository, b.repository);
}

function isPackageWithin(a: Dated, b: Dated): boolean {
  if (!b.package) return true;
  if (a.package?.name !== b.package.name) return false;
  return b.package.type === undefined || a.package.type === b.package.type;
}

function isVersionWithin(a: Dated, b: Dated): boolean {
  if (b.version !== undefined && a.version !== b.version) return false;
  if (b.versions === undefined) return true;
  const outer = rangeOf(b);
  const inner = rangeOf(a);
  return outer !== undefined && inner !== undefined && isRangeWithin(inner, outer);
}

function isShorter(a: Dated, b: Dated): boolean {
  if (a.until > b.until) return false;
  return b.fixDays === undefined || (a.fixDays !== undefined && a.fixDays <= b.fixDays);
}
