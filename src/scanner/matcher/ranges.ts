import { compareVersions, type VersionScheme } from '../versions/index.ts';
import type { AffectedRange } from './lookup.ts';

/**
 * True when a version lies in a range; false also when one of the versions cannot be parsed, and for a range that holds
 * nothing (its beginning is not before its end).
 */
export function contains(scheme: VersionScheme, range: AffectedRange, version: string): boolean {
  const { introduced, fixed, lastAffected } = range;
  if (compareVersions(scheme, version, version) === undefined) return false;
  if (introduced !== undefined && !isAtLeast(compareVersions(scheme, version, introduced))) return false;
  if (fixed !== undefined && compareVersions(scheme, version, fixed) !== -1) return false;
  return lastAffected === undefined || isAtLeast(compareVersions(scheme, lastAffected, version));
}

function isAtLeast(order: -1 | 0 | 1 | undefined): boolean {
  return order === 0 || order === 1;
}
