import type { Finding } from '../../model/finding.ts';
import type { Package } from '../../model/inventory.ts';
import type { SeverityStatement } from '../../model/severity.ts';
import { compareVersions, type VersionScheme } from '../versions/index.ts';
import type { VulnerabilityGroup } from './groups.ts';
import type { AdvisoryLookup, AdvisoryStatement, VulnerabilityFacts } from './lookup.ts';
import { contains } from './ranges.ts';

/**
 * The finding of one vulnerability on one installed package; undefined when it does not apply: no statement holds for the
 * version, a negative statement vetoes it, or the CVE was rejected.
 */
export function findingOf(
  pkg: Package,
  version: string,
  scheme: VersionScheme,
  { ids, statements }: VulnerabilityGroup,
  advisories: AdvisoryLookup,
): Finding | undefined {
  if (statements.some(({ never }) => never)) return undefined;
  const affecting = statements.filter((statement) => isAffected(scheme, statement, version));
  const [id = '', ...aliases] = ids;
  if (affecting.length === 0) return undefined;
  const facts = ids.flatMap((name) => advisories.vulnerability(name) ?? []);
  if (advisories.vulnerability(id)?.rejected) return undefined;
  const fixed = fixedVersion(scheme, statements, version);
  return {
    id,
    aliases,
    package: pkg,
    installed: pkg.version,
    ...(fixed === undefined ? {} : { fixed }),
    status: affecting.find(({ status }) => status !== undefined)?.status ?? 'affected',
    severities: mergeSeverities([...affecting, ...facts].flatMap(({ severities }) => severities)),
    ...exploitation(facts),
    ...publication(facts, affecting),
    advisories: [...new Set(affecting.map(({ advisory }) => advisory))].sort(),
    source: affecting.map(({ feed }) => feed).sort()[0] ?? '',
  };
}

function isAffected(scheme: VersionScheme, { ranges, versions }: AdvisoryStatement, version: string): boolean {
  return (
    ranges.some((range) => contains(scheme, range, version)) ||
    versions.some((listed) => listed === version || compareVersions(scheme, listed, version) === 0)
  );
}

/** The lowest version named as fixed, above the installed one, that no statement calls affected. */
function fixedVersion(
  scheme: VersionScheme,
  statements: readonly AdvisoryStatement[],
  installed: string,
): string | undefined {
  const candidates = statements
    .flatMap(({ ranges }) => ranges.flatMap(({ fixed }) => fixed ?? []))
    .filter((fixed) => compareVersions(scheme, fixed, installed) === 1)
    .sort((a, b) => compareVersions(scheme, a, b) ?? 0);
  return candidates.find((fixed) => !statements.some((statement) => isAffected(scheme, statement, fixed)));
}

/** Every statement once, by source; of two from one source the worse comes first. */
function mergeSeverities(statements: readonly SeverityStatement[]): readonly SeverityStatement[] {
  const unique = new Map<string, SeverityStatement>();
  for (const statement of statements) {
    unique.set([statement.source, statement.severity, statement.vector ?? ''].join('\n'), statement);
  }
  return [...unique.values()].sort(
    (a, b) => Number(a.source > b.source) - Number(a.source < b.source) || (b.score ?? 0) - (a.score ?? 0),
  );
}

function exploitation(facts: readonly VulnerabilityFacts[]): Pick<Finding, 'kev' | 'epss'> {
  const kev = facts.flatMap((fact) => fact.kev ?? []).sort()[0];
  const epss = facts.flatMap((fact) => fact.epss ?? []).sort((a, b) => b.probability - a.probability)[0];
  return { ...(kev === undefined ? {} : { kev }), ...(epss === undefined ? {} : { epss }) };
}

/** The day the vulnerability itself became known where that is on record, else the first advisory's. */
function publication(
  facts: readonly VulnerabilityFacts[],
  statements: readonly AdvisoryStatement[],
): Pick<Finding, 'published'> {
  const published = earliest(facts) ?? earliest(statements);
  return published === undefined ? {} : { published };
}

function earliest(list: readonly { readonly published?: string }[]): string | undefined {
  return list.flatMap(({ published }) => published ?? []).sort()[0];
}
