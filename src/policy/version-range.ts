import { compareVersions, type VersionScheme } from '../scanner/versions/index.ts';

/** An end of an interval, and whether the version itself belongs to it. */
interface Bound {
  readonly version: string;
  readonly included: boolean;
}

/** Versions between two ends; without an end there is none on that side. */
interface Interval {
  readonly low?: Bound;
  readonly high?: Bound;
}

/** Versions of one scheme: those in any of the intervals. */
export interface VersionRange {
  readonly scheme: VersionScheme;
  readonly intervals: readonly Interval[];
}

const LONGEST = 255;
const MOST_INTERVALS = 10;
const TERM = /^(<=|>=|<|>|=)\s*(\S+)$/;

/**
 * Reads a range: comparisons with `<`, `<=`, `>`, `>=` or `=`, all of which must hold where a comma is between them, any of which
 * where `||` is: `>= 1.0, < 1.2.3 || = 2.0`. Gives in words what is wrong with it, also when it holds nothing.
 */
export function parseVersionRange(text: string, scheme: VersionScheme): VersionRange | { readonly problem: string } {
  if (text.length > LONGEST) return { problem: `it is longer than ${LONGEST} characters` };
  const parts = text.split('||');
  if (parts.length > MOST_INTERVALS) return { problem: `it has more than ${MOST_INTERVALS} parts` };
  const intervals: Interval[] = [];
  for (const part of parts) {
    let interval: Interval = {};
    for (const term of part.split(',')) {
      const [, operator, version] = TERM.exec(term.trim()) ?? [];
      if (operator === undefined || version === undefined)
        return {
          problem: `${JSON.stringify(term.trim())} is no comparison; write one like ">= 1.0, < 1.2.3" or "= 2.0", with || between several`,
        };
      if (compareVersions(scheme, version, version) === undefined)
        return { problem: `${JSON.stringify(version)} is no version in the ${scheme} scheme` };
      interval = intersect(scheme, interval, intervalOf(operator, version));
    }
    if (isEmpty(scheme, interval)) return { problem: `no version is in ${JSON.stringify(part.trim())}` };
    intervals.push(interval);
  }
  return { scheme, intervals };
}

/** True when a version lies in the range; what is no version of the scheme lies in none. */
export function isInRange({ scheme, intervals }: VersionRange, version: string): boolean {
  if (compareVersions(scheme, version, version) === undefined) return false;
  const point = { version, included: true };
  return intervals.some((interval) => isWithin(scheme, { low: point, high: point }, interval));
}

/** True only when every version of one range is known to be in the other. */
export function isRangeWithin(inner: VersionRange, outer: VersionRange): boolean {
  const { scheme } = outer;
  return (
    inner.scheme === scheme &&
    inner.intervals.every((one) => outer.intervals.some((interval) => isWithin(scheme, one, interval)))
  );
}

function intervalOf(operator: string, version: string): Interval {
  const bound = { version, included: operator !== '<' && operator !== '>' };
  switch (operator[0]) {
    case '<':
      return { high: bound };
    case '>':
      return { low: bound };
    default:
      return { low: bound, high: bound };
  }
}

function intersect(scheme: VersionScheme, a: Interval, b: Interval): Interval {
  const low = isLowWithin(scheme, a.low, b.low) ? a.low : b.low;
  const high = isHighWithin(scheme, a.high, b.high) ? a.high : b.high;
  return { ...(low ? { low } : {}), ...(high ? { high } : {}) };
}

function isEmpty(scheme: VersionScheme, { low, high }: Interval): boolean {
  if (!low || !high) return false;
  const order = compareVersions(scheme, low.version, high.version);
  return order === 1 || (order === 0 && !(low.included && high.included));
}

function isWithin(scheme: VersionScheme, inner: Interval, outer: Interval): boolean {
  return isLowWithin(scheme, inner.low, outer.low) && isHighWithin(scheme, inner.high, outer.high);
}

function isLowWithin(scheme: VersionScheme, inner: Bound | undefined, outer: Bound | undefined): boolean {
  if (!outer) return true;
  if (!inner) return false;
  const order = compareVersions(scheme, inner.version, outer.version);
  return order === 1 || (order === 0 && (outer.included || !inner.included));
}

function isHighWithin(scheme: VersionScheme, inner: Bound | undefined, outer: Bound | undefined): boolean {
  if (!outer) return true;
  if (!inner) return false;
  const order = compareVersions(scheme, inner.version, outer.version);
  return order === -1 || (order === 0 && (outer.included || !inner.included));
}
