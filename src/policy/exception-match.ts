import type { Finding } from '../model/finding.ts';
import { compareText } from '../oci/canonical.ts';
import type { Digest } from '../oci/digest.ts';
import { schemeOfType } from '../scanner/versions/of-type.ts';
import type { ExceptionScope, GrantedException } from './exceptions.ts';
import { matchesGlob } from './repository-glob.ts';
import { isInRange, parseVersionRange, type VersionRange } from './version-range.ts';

const DAY = 86_400_000;

/** The image an exception may concern. */
export interface ExceptedImage {
  /** Full name, `front/alpine`. */
  readonly repository: string;
  readonly digest: Digest;
  /** Absent when it is not known: then nothing that is limited to one concerns it. */
  readonly platform?: string | undefined;
}

/** True when the exception can concern this image at all, whatever the time. */
export function concernsImage(scope: ExceptionScope, { repository, digest, platform }: ExceptedImage): boolean {
  if (scope.digest !== undefined && scope.digest !== digest) return false;
  if (scope.platform !== undefined && !isPlatform(scope.platform, platform)) return false;
  const path = scope.everywhere ? repository : pathInProject(repository);
  return scope.repository === undefined || matchesGlob(scope.repository, path);
}

/**
 * True when the exception speaks of this finding, whatever the time: any id of its alias closure, the package by its own or
 * its source's name, the exact version or the range it is in.
 */
export function concernsFinding(scope: ExceptionScope, finding: Finding): boolean {
  const wanted = scope.vulnerability?.toLowerCase();
  if (wanted === undefined || !idsOf(finding).includes(wanted)) return false;
  if (scope.package && !isPackage(scope.package, finding)) return false;
  if (scope.versions !== undefined) {
    const range = rangeOf(scope);
    if (!range || !isInRange(range, finding.installed)) return false;
  }
  return (
    scope.version === undefined || scope.version === finding.installed || scope.version === finding.package.version
  );
}

const known = new WeakMap<Finding, readonly string[]>();

/** Every id a finding is known under, in lower case, each once. */
export function idsOf(finding: Finding): readonly string[] {
  const before = known.get(finding);
  if (before) return before;
  const ids = [finding.id, ...finding.aliases, ...finding.advisories].map((id) => id.toLowerCase());
  const made = [...new Set(ids)];
  known.set(finding, made);
  return made;
}

const ranges = new WeakMap<ExceptionScope, VersionRange | undefined>();

/** The range of versions it is limited to; undefined when there is none, or it cannot be read. */
export function rangeOf(scope: ExceptionScope): VersionRange | undefined {
  if (scope.versions === undefined) return undefined;
  if (ranges.has(scope)) return ranges.get(scope);
  const scheme = scope.package?.type && schemeOfType(scope.package.type);
  const parsed = scheme && parseVersionRange(scope.versions, scheme);
  const range = parsed && !('problem' in parsed) ? parsed : undefined;
  ranges.set(scope, range);
  return range;
}

/** True when a platform is the wanted one or a variant of it. */
export function isPlatform(wanted: string, platform: string | undefined): boolean {
  return platform === wanted || platform?.startsWith(`${wanted}/`) === true;
}

function isPackage(wanted: NonNullable<ExceptionScope['package']>, finding: Finding): boolean {
  const { type, name, source } = finding.package;
  if (wanted.type !== undefined && wanted.type !== type) return false;
  return wanted.name === name || wanted.name === source?.name;
}

/** Valid from its first millisecond, no longer valid at `until`. */
export function isInForce(exception: GrantedException, now: number): boolean {
  return exception.from <= now && now < exception.until;
}

/** The exception as it counts for a finding whose fix was first known at `fixSeen`, epoch ms; undefined: there is none yet. */
export function endedByFix(exception: GrantedException, fixSeen: number | undefined): GrantedException {
  if (exception.fixDays === undefined || fixSeen === undefined) return exception;
  const end = fixSeen + exception.fixDays * DAY;
  return end < exception.until ? { ...exception, until: end } : exception;
}

/** The one of several exceptions in force that is named: the one that lasts longest. */
export function lastsLongest(exceptions: readonly GrantedException[], now: number): GrantedException | undefined {
  return exceptions
    .filter((exception) => isInForce(exception, now))
    .sort((a, b) => b.until - a.until || compareText(a.id, b.id))[0];
}

function pathInProject(repository: string): string {
  return repository.slice(repository.indexOf('/') + 1);
}
