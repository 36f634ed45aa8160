import type { Finding, FindingStatus } from '../../model/finding.ts';
import type { Package } from '../../model/inventory.ts';
import type { SeverityStatement } from '../../model/severity.ts';
import type { VersionScheme } from '../versions/index.ts';
import type { AdvisedName } from './advised-names.ts';
import { preferPro } from './concerns.ts';
import { type FixVersions, fixVersions, isAffected, type Judged } from './fix-version.ts';
import type { VulnerabilityGroup } from './groups.ts';
import { isKernelHeaders } from './kernel-headers.ts';
import type { AdvisoryLookup, AdvisoryStatement, VulnerabilityFacts } from './lookup.ts';

/** A finding without the place of the package: copies of it share the rest. */
export type Match = Omit<Finding, 'package' | 'paths'>;

/** Everything about a package that its statements are held against. */
export interface Advised {
  readonly pkg: Package;
  readonly names: readonly AdvisedName[];
  readonly scheme: VersionScheme;
}

/**
 * What one vulnerability means for one installed package; undefined when it does not apply: no statement holds for the
 * version, a negative statement vetoes it, or the CVE was rejected.
 */
export function matchOf(
  { pkg, names, scheme }: Advised,
  { ids, claims }: VulnerabilityGroup,
  advisories: AdvisoryLookup,
): Match | undefined {
  const judged: readonly Judged[] = preferPro(pkg, claims).map(({ statement, by }) => ({
    statement,
    by,
    version: names[by]?.version ?? '',
  }));
  if (judged.some(({ statement }) => isVeto(statement))) return undefined;
  const affecting = judged.filter((claim) => isAffected(scheme, claim, claim.version));
  const [id = '', ...aliases] = ids;
  if (affecting.length === 0 || advisories.vulnerability(id)?.rejected) return undefined;
  const facts = ids.flatMap((name) => advisories.vulnerability(name) ?? []);
  const statements = affecting.map(({ statement }) => statement);
  const fixes = fixVersions(scheme, judged, affecting);
  const malicious = statements.some((statement) => statement.malicious);
  return {
    id,
    aliases,
    installed: pkg.version,
    ...fixes,
    status: statusOf(statements, fixes),
    severities: mergeSeverities([
      ...[...statements, ...facts].flatMap(({ severities }) => severities),
      ...(malicious ? [MALICIOUS] : []),
    ]),
    ...exploitation(facts),
    ...publication(facts, statements),
    ...(malicious ? { malicious } : {}),
    ...(isKernelHeaders(pkg) ? { kernelHeaders: true } : {}),
    advisories: [...new Set(statements.map(({ advisory }) => advisory))].sort(),
    source: statements.map(({ feed }) => feed).sort()[0] ?? '',
  };
}

const MALICIOUS: SeverityStatement = { source: 'malicious', severity: 'critical' };

function isVeto({ never, status }: AdvisoryStatement): boolean {
  return never === true || status === 'not_affected';
}

/** What publishers say beyond "affected", the most telling first. */
const TELLING = ['will_not_fix', 'end_of_life', 'fix_deferred'] as const satisfies readonly FindingStatus[];

/** A fix that exists makes it plain: affected. Only where every statement is still looking into it that is the answer. */
function statusOf(statements: readonly AdvisoryStatement[], { fixed }: FixVersions): FindingStatus {
  if (fixed !== undefined) return 'affected';
  const said = new Set(statements.map(({ status }) => status));
  const telling = TELLING.find((status) => said.has(status));
  if (telling !== undefined) return telling;
  return said.size === 1 && said.has('under_investigation') ? 'under_investigation' : 'affected';
}

/** Every statement once, by source; of two from one source the worse comes first. */
function mergeSeverities(statements: readonly SeverityStatement[]): readonly SeverityStatement[] {
  const unique = new Map<string, SeverityStatement>();
  for (const statement of statements) unique.set(keyOf(statement), statement);
  return [...unique.values()].sort(
    (a, b) => compare(a.source, b.source) || (b.score ?? 0) - (a.score ?? 0) || compare(keyOf(a), keyOf(b)),
  );
}

function keyOf({ source, severity, score, vector }: SeverityStatement): string {
  return [source, severity, score, vector].join('\n');
}

function compare(a: string, b: string): number {
  return Number(a > b) - Number(a < b);
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
