import type { Log, Notification, ReportingDescriptor, Result, Suppression } from 'sarif';
import type { Severity } from '../../model/severity.ts';
import { canonicalHash } from '../../oci/canonical.ts';
import { toRfc3339 } from '../../platform/clock.ts';
import { oneLine } from '../../platform/one-line.ts';
import { describeFinding } from '../../policy/describe.ts';
import { sarifLogOf } from '../sarif-log.ts';
import { advisoryLink } from './advisory-link.ts';
import { type NumberedLayer, numberedLayers } from './layer-numbers.ts';
import { worstFirst } from './package-groups.ts';
import type { ReportedFinding, ScanReport } from './report.ts';
import { setAsideText } from './set-aside-text.ts';

/** Lowest score of each severity (CVSS v3.1, section 5), for where nobody gives a score. */
const SCORES: Readonly<Record<Severity, number>> = {
  critical: 9,
  high: 7,
  medium: 4,
  low: 1,
  negligible: 0.1,
  unknown: 0,
  none: 0,
};
const LEVELS: Readonly<Record<Severity, Result.level>> = {
  critical: 'error',
  high: 'error',
  medium: 'warning',
  low: 'note',
  negligible: 'note',
  unknown: 'warning',
  none: 'note',
};
const LONGEST_TEXT = 1000;

/** A scan as SARIF 2.1.0: a rule for each vulnerability, a result for each package that has it. `now` in epoch ms. */
export function sarifLog(report: ScanReport, now: number): Log {
  const { target, digest, findings, coverage, verdict } = report;
  const byId = [...Map.groupBy(findings, ({ id }) => id)];
  const layers = numberedLayers(report);
  const ruleIndex = new Map(byId.map(([id], at) => [id, at]));
  const rules = byId.map(([id, group]) => ruleOf(id, group));
  return sarifLogOf(rules, {
    automationDetails: { id: `breakwater/${short(target)}/` },
    invocations: [
      {
        executionSuccessful: true,
        endTimeUtc: toRfc3339(now),
        toolExecutionNotifications: coverage.gaps.map(
          ({ kind, message }): Notification => ({
            descriptor: { id: kind },
            level: 'warning',
            message: { text: short(message) },
          }),
        ),
      },
    ],
    originalUriBaseIds: { ROOT: { description: { text: `Root of the file system of ${short(target)}` } } },
    results: findings.map((finding) => resultOf(finding, ruleIndex.get(finding.id) ?? 0, layers)),
    columnKind: 'utf16CodeUnits',
    properties: { ...(digest === undefined ? {} : { imageDigest: digest }), verdict: verdict.kind },
  });
}

function ruleOf(id: string, group: readonly ReportedFinding[]): ReportingDescriptor {
  const [worst] = [...group].sort(worstFirst);
  const packages = [...new Set(group.map((one) => short(one.package)))];
  const named = `${packages.slice(0, 5).join(', ')}${packages.length > 5 ? ` and ${packages.length - 5} more` : ''}`;
  const link = advisoryLink(id);
  const severity = worst?.severity ?? 'unknown';
  return {
    id,
    name: 'VulnerablePackage',
    shortDescription: { text: `${short(id)} in ${named}` },
    fullDescription: { text: `${short(id)} (${severity}) in ${named}` },
    ...(link === undefined ? {} : { helpUri: link }),
    help: {
      text: group
        .map((one) => short(describe(one)))
        .slice(0, 20)
        .join('\n'),
    },
    defaultConfiguration: { level: LEVELS[severity] },
    properties: {
      'security-severity': Math.max(...group.map(scoreOf)).toFixed(1),
      precision: 'very-high',
      tags: ['security', 'vulnerability', severity],
    },
  };
}

/** Of the source that decides, where it gives one. */
function scoreOf({ severity, severitySource, severities }: ReportedFinding): number {
  const decisive = severities.find((one) => one.source === severitySource && one.severity === severity);
  return decisive?.score ?? SCORES[severity];
}

function resultOf(finding: ReportedFinding, ruleIndex: number, layers: ReadonlyMap<string, NumberedLayer>): Result {
  const { id, package: name, installed, purl, path, severity, fixed, kev, layer, setAside } = finding;
  const brought = layer === undefined ? undefined : layers.get(layer);
  const from = layer === undefined ? '' : `; layer ${layer}${brought?.createdBy ? ` (${brought.createdBy})` : ''}`;
  const exploited = kev === undefined ? '' : '; known to be exploited';
  return {
    ruleId: id,
    ruleIndex,
    level: LEVELS[severity],
    message: { text: short(`${describe(finding)}: ${severity}${exploited}${from}`) },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(path), uriBaseId: 'ROOT' },
          region: { startLine: 1 },
        },
        logicalLocations: [{ name, fullyQualifiedName: purl, kind: 'package' }],
        ...(layer === undefined ? {} : { message: { text: short(`layer ${layer}`) } }),
      },
    ],
    // The same in every scan as long as this package has this vulnerability, whatever its version and the layer it is in.
    partialFingerprints: { 'vulnerablePackage/v1': canonicalHash([id, name, path]).slice('sha256:'.length) },
    ...(setAside ? { suppressions: [suppression(setAsideText(setAside))] } : {}),
    properties: { installedVersion: installed, ...(fixed === undefined ? {} : { fixedVersion: fixed }) },
  };
}

function suppression(text: string): Suppression {
  return { kind: 'external', status: 'accepted', justification: short(text) };
}

function describe({ id, package: name, installed, fixed, subscriptionFix, status }: ReportedFinding): string {
  return describeFinding({
    vulnerability: id,
    package: name,
    installed,
    ...(fixed === undefined ? {} : { fixed }),
    ...(subscriptionFix === undefined ? {} : { subscriptionFix }),
    status,
  });
}

/** A path as a relative reference (RFC 3986, section 4.2). */
function uriOf(path: string): string {
  return path
    .split('/')
    .map((part) => encodeURIComponent(part.toWellFormed()))
    .join('/');
}

/** One line of bounded length; results are listed by the thousand. */
function short(text: string): string {
  const line = oneLine(text.slice(0, LONGEST_TEXT));
  return text.length > LONGEST_TEXT ? `${line}…` : line;
}
