import { compareText } from '../../oci/canonical.ts';
import { compareVersions, type VersionScheme } from '../versions/index.ts';
import type { Claim } from './groups.ts';
import { contains } from './ranges.ts';

/** A statement with the version that its bounds are compared with. */
export interface Judged extends Claim {
  readonly version: string;
}

/** The versions that end the affectedness; absent where there is none. */
export interface FixVersions {
  readonly fixed?: string;
  readonly subscriptionFix?: string;
}

/** True when a version of the package the statement is about is affected by what it says. */
export function isAffected(scheme: VersionScheme, { statement }: Claim, version: string): boolean {
  return (
    statement.ranges.some((range) => contains(scheme, range, version)) ||
    statement.versions.some((listed) => listed === version || compareVersions(scheme, listed, version) === 0)
  );
}

/**
 * The lowest version named as fixed, above the installed one, that no statement calls affected. Where statements under
 * several names of the package affect it, each of them must have one; the first name's is given. What is sold apart counts
 * only when nothing else ends it.
 */
export function fixVersions(
  scheme: VersionScheme,
  claims: readonly Judged[],
  affecting: readonly Judged[],
): FixVersions {
  const names = [...new Set(affecting.map(({ by }) => by))].sort((a, b) => a - b);
  const lowest = (offered: readonly Judged[]): string | undefined => {
    const fixes = names.map((name) => {
      const about = (claim: Judged): boolean => claim.by === name;
      return lowestFix(scheme, claims.filter(about), offered.filter(about));
    });
    return fixes.includes(undefined) ? undefined : fixes[0];
  };
  const fixed = lowest(claims.filter(({ statement }) => !statement.subscription));
  if (fixed !== undefined) return { fixed };
  const subscriptionFix = lowest(claims);
  return subscriptionFix === undefined ? {} : { subscriptionFix };
}

function lowestFix(scheme: VersionScheme, claims: readonly Judged[], offered: readonly Judged[]): string | undefined {
  const candidates = offered
    .flatMap(({ statement, version }) =>
      statement.ranges.flatMap(({ fixed }) =>
        fixed !== undefined && compareVersions(scheme, fixed, version) === 1 ? [fixed] : [],
      ),
    )
    .sort((a, b) => compareVersions(scheme, a, b) || compareText(a, b));
  return candidates.find((fixed) => !claims.some((claim) => isAffected(scheme, claim, fixed)));
}
