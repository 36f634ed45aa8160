import type { Finding } from '../model/finding.ts';
import { type Distribution, SYSTEM_PACKAGE_TYPES } from '../model/inventory.ts';
import { type Severity, type SeverityStatement, severityRank } from '../model/severity.ts';
import { compareText } from '../oci/canonical.ts';
import type { Policy } from './policy.ts';

/** The severity that counts, and who said so; no source when nobody says anything. */
export interface EffectiveSeverity {
  readonly severity: Severity;
  readonly source?: string;
  /** Rank thresholds are compared with: the severity's own, or that of the level the policy gives to the unknown. */
  readonly rank: number;
  /** The distribution itself calls it unimportant or negligible. */
  readonly unimportant?: true;
}

/**
 * Chooses among what the sources say: the first source of the policy's order that knows a severity decides, then any other,
 * worst first. Where one source says several things the worst counts.
 */
export function effectiveSeverity(
  finding: Finding,
  distribution: Distribution | undefined,
  policy: Policy,
): EffectiveSeverity {
  if (finding.malicious) return decidedBy({ source: 'malicious', severity: 'critical' });
  const chosen = chosenSeverity(finding, distribution, policy);
  return isUnimportant(finding, distribution) ? { ...chosen, unimportant: true } : chosen;
}

function chosenSeverity(finding: Finding, distribution: Distribution | undefined, policy: Policy): EffectiveSeverity {
  const known = finding.severities.filter((statement) => statement.severity !== 'unknown').sort(worstFirst);
  for (const wanted of policy.severitySources) {
    const decisive = known.find((statement) => isFrom(statement.source, wanted, finding, distribution));
    if (decisive) return decidedBy(decisive);
  }
  const [worst] = known;
  if (worst) return decidedBy(worst);
  return { severity: 'unknown', rank: severityRank(policy.unknownSeverity) };
}

function decidedBy(statement: SeverityStatement): EffectiveSeverity {
  return { severity: statement.severity, source: statement.source, rank: severityRank(statement.severity) };
}

const DISTRIBUTION = 'distribution:';
/** Who publishes a distribution, where that is not its id in os-release. */
const PUBLISHERS: ReadonlyMap<string, string> = new Map([
  ['rhel', 'redhat'],
  ['centos', 'redhat'],
  ['sles', 'suse'],
  ['sled', 'suse'],
  ['opensuse-leap', 'opensuse'],
  ['opensuse-tumbleweed', 'opensuse'],
]);

/** `distribution` is whoever publishes the image's own distribution, for its packages only; `cna` is any `cna:<name>`. */
function isFrom(source: string, wanted: string, finding: Finding, distribution: Distribution | undefined): boolean {
  if (wanted !== 'distribution') {
    const family = wanted.endsWith(':') ? wanted : `${wanted}:`;
    return source === wanted || source.startsWith(family);
  }
  if (!distribution || !SYSTEM_PACKAGE_TYPES.has(finding.package.type) || !source.startsWith(DISTRIBUTION))
    return false;
  const publisher = source.slice(DISTRIBUTION.length);
  return [distribution.id, ...distribution.idLike].some((id) => (PUBLISHERS.get(id) ?? id) === publisher);
}

function isUnimportant(finding: Finding, distribution: Distribution | undefined): boolean {
  return finding.severities.some(
    ({ source, severity }) => severity === 'negligible' && isFrom(source, 'distribution', finding, distribution),
  );
}

/** Worst first, then by source and vector, so that the choice does not depend on the order of the statements. */
function worstFirst(a: SeverityStatement, b: SeverityStatement): number {
  return (
    severityRank(b.severity) - severityRank(a.severity) ||
    compareText(a.source, b.source) ||
    (b.score ?? 0) - (a.score ?? 0) ||
    compareText(a.vector ?? '', b.vector ?? '')
  );
}

/** The statements in one order whatever order they came in. */
export function sortedStatements(statements: readonly SeverityStatement[]): readonly SeverityStatement[] {
  return [...statements].sort(worstFirst);
}
