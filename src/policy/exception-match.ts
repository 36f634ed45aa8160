import type { Finding } from '../model/finding.ts';
import { compareText } from '../oci/canonical.ts';
import type { Digest } from '../oci/digest.ts';
import type { GrantedException } from './exceptions.ts';
import { matchesGlob } from './repository-glob.ts';

/** True when the exception can concern this image at all, whatever the time. `repository` is the full name. */
export function concernsImage(exception: GrantedException, repository: string, digest: Digest): boolean {
  if (exception.digest !== undefined && exception.digest !== digest) return false;
  return exception.repository === undefined || matchesGlob(exception.repository, pathInProject(repository));
}

/**
 * True when the exception speaks of this finding, whatever the time: any id of its alias closure, the package by its own or
 * its source's name, the exact version.
 */
export function concernsFinding(exception: GrantedException, finding: Finding): boolean {
  const wanted = exception.vulnerability.toLowerCase();
  const ids = [finding.id, ...finding.aliases, ...finding.advisories];
  if (!ids.some((id) => id.toLowerCase() === wanted)) return false;
  if (exception.package && !isPackage(exception.package, finding)) return false;
  return (
    exception.version === undefined ||
    exception.version === finding.installed ||
    exception.version === finding.package.version
  );
}

function isPackage(wanted: NonNullable<GrantedException['package']>, finding: Finding): boolean {
  const { type, name, source } = finding.package;
  if (wanted.type !== undefined && wanted.type !== type) return false;
  return wanted.name === name || wanted.name === source?.name;
}

/** Valid from its first millisecond, no longer valid at `until`. */
export function isInForce(exception: GrantedException, now: number): boolean {
  return exception.from <= now && now < exception.until;
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
