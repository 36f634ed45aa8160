import type { Finding, VexStatus } from '../../model/finding.ts';
import type { Package } from '../../model/inventory.ts';
import type { Severity, SeverityStatement } from '../../model/severity.ts';
import type { SbomFinding } from './input.ts';

const SEVERITIES: Readonly<Record<Severity, string>> = {
  none: 'none',
  unknown: 'unknown',
  negligible: 'info',
  low: 'low',
  medium: 'medium',
  high: 'high',
  critical: 'critical',
};

const LONGEST_VERSION = 1024;

/** A version as long as the format lets one be. */
export function shortVersion(version: string): string {
  return version.slice(0, LONGEST_VERSION);
}

/**
 * The findings as `vulnerabilities` of CycloneDX 1.6, one for each vulnerability. `refOf` gives the `bom-ref` of a package.
 */
export function vulnerabilities(
  findings: readonly SbomFinding[],
  refOf: (pkg: Package) => string | undefined,
): readonly object[] {
  return [...Map.groupBy(findings, ({ finding }) => finding.id).entries()].map(([id, group]) => {
    const all = group.map(({ finding }) => finding);
    const aliases = unique(all.flatMap((finding) => finding.aliases));
    const published = all.flatMap((finding) => asTime(finding.published)).sort()[0];
    const updates = unique(all.flatMap(updateOf));
    return {
      id,
      source: { name: all[0]?.source ?? '' },
      ...(aliases.length === 0 ? {} : { references: aliases.map((alias) => ({ id: alias, source: { name: alias } })) }),
      ratings: ratings(all),
      ...(updates.length === 0 ? {} : { recommendation: updates.join('\n') }),
      ...(published === undefined ? {} : { published }),
      ...analysis(group),
      affects: affects(all, refOf),
      properties: properties(all),
    };
  });
}

function affects(findings: readonly Finding[], refOf: (pkg: Package) => string | undefined) {
  const versions = new Map<string, Set<string>>();
  for (const { package: pkg, installed } of findings) {
    const ref = refOf(pkg);
    if (ref === undefined) continue;
    const known = versions.get(ref) ?? new Set();
    versions.set(ref, known.add(installed));
  }
  return [...versions].map(([ref, installed]) => ({
    ref,
    versions: [...installed].filter(Boolean).map((version) => ({ version: shortVersion(version), status: 'affected' })),
  }));
}

/** What every source says, each once. */
function ratings(findings: readonly Finding[]): readonly object[] {
  const statements = findings.flatMap(({ severities }) => severities);
  return [...new Map(statements.map((statement) => [JSON.stringify(statement), rating(statement)])).values()];
}

function rating({ source, severity, score, vector }: SeverityStatement) {
  return {
    source: { name: source },
    ...(score === undefined ? {} : { score }),
    severity: SEVERITIES[severity],
    ...(vector === undefined ? {} : { method: methodOf(vector), vector }),
  };
}

function methodOf(vector: string): string {
  const version = /^CVSS:(\d\.\d)\//.exec(vector)?.[1];
  switch (version) {
    case '3.0':
      return 'CVSSv3';
    case '3.1':
      return 'CVSSv31';
    case '4.0':
      return 'CVSSv4';
    case undefined:
      return /^AV:[NAL]\/AC:/.test(vector) ? 'CVSSv2' : 'other';
    default:
      return 'other';
  }
}

const STATES: Readonly<Record<VexStatus, string>> = {
  not_affected: 'not_affected',
  affected: 'exploitable',
  fixed: 'resolved',
  under_investigation: 'in_triage',
};
/** The justifications of OpenVEX and CSAF in the words of CycloneDX. */
const JUSTIFICATIONS: ReadonlyMap<string, string> = new Map([
  ['component_not_present', 'code_not_present'],
  ['vulnerable_code_not_present', 'code_not_present'],
  ['vulnerable_code_not_in_execute_path', 'code_not_reachable'],
  ['vulnerable_code_cannot_be_controlled_by_adversary', 'code_not_reachable'],
  ['inline_mitigations_already_exist', 'protected_by_mitigating_control'],
]);

/** What VEX says of all of it alike, and why it was set aside, where that holds everywhere it was found. */
function analysis(group: readonly SbomFinding[]) {
  const [vex, ...others] = group.map(({ finding }) => finding.vex);
  const alike = vex !== undefined && others.every((other) => other?.status === vex.status) ? vex : undefined;
  const justification = alike?.status === 'not_affected' ? JUSTIFICATIONS.get(alike.justification ?? '') : undefined;
  const reasons = group.map(({ setAside }) => setAside);
  const detail = reasons.includes(undefined) ? '' : unique(reasons.flatMap((reason) => reason ?? [])).join('\n');
  const told = {
    ...(alike ? { state: STATES[alike.status] } : {}),
    ...(justification === undefined ? {} : { justification }),
    ...(detail === '' ? {} : { detail }),
  };
  return Object.keys(told).length === 0 ? {} : { analysis: told };
}

function properties(findings: readonly Finding[]) {
  const paid = unique(findings.flatMap(({ subscriptionFix }) => subscriptionFix ?? []));
  const kev = findings.flatMap((finding) => finding.kev ?? []).sort()[0];
  const epss = findings.find((finding) => finding.epss)?.epss;
  return [
    ...unique(findings.map(({ status }) => status)).map((value) => ({ name: 'breakwater:status', value })),
    ...unique(findings.flatMap(({ advisories }) => advisories)).map((value) => ({
      name: 'breakwater:advisory',
      value,
    })),
    ...paid.map((value) => ({ name: 'breakwater:subscription-fix', value })),
    ...(kev === undefined ? [] : [{ name: 'breakwater:kev', value: kev }]),
    ...(epss === undefined
      ? []
      : [
          { name: 'breakwater:epss:probability', value: String(epss.probability) },
          { name: 'breakwater:epss:percentile', value: String(epss.percentile) },
        ]),
  ];
}

function updateOf({ package: { name }, fixed }: Finding): readonly string[] {
  return fixed === undefined ? [] : [`Update ${name} to ${fixed}.`];
}

/** Feeds are others' texts: only what is a moment is told as one. */
function asTime(text: string | undefined): readonly string[] {
  const moment = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(moment) ? [] : [new Date(moment).toISOString()];
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}
