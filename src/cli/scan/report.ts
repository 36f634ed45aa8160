import type { Coverage } from '../../model/coverage.ts';
import type { Finding, FindingVex } from '../../model/finding.ts';
import type { Distribution, Inventory, Package } from '../../model/inventory.ts';
import type { Severity, SeverityStatement } from '../../model/severity.ts';
import type { Verdict } from '../../model/verdict.ts';
import { toRfc3339 } from '../../platform/clock.ts';
import { describeVex } from '../../policy/describe.ts';
import { effectiveSeverity } from '../../policy/effective-severity.ts';
import { dismissedBy } from '../../policy/finding-lines.ts';
import { judge } from '../../policy/judge.ts';
import type { Policy } from '../../policy/policy.ts';
import type { AdvisoryDatabase } from '../../scanner/advisories/index.ts';
import { inventoryHash } from '../../scanner/inventory-hash.ts';
import { ecosystemOf } from '../../scanner/matcher/ecosystem.ts';
import { applyVex } from '../../scanner/vex/apply.ts';
import type { VexStatement, VexSubject } from '../../scanner/vex/index.ts';
import { evaluate, inventoryFacts } from '../../verdicts/evaluate.ts';
import { exceptionsOf, type IgnoreFile, type IgnoreLine, idleLines, lineFor } from './ignore-file.ts';
import { type FailOn, scanPolicy } from './scan-policy.ts';
import type { ScannedTarget } from './scanned-target.ts';

interface ReportedPackage {
  readonly type: Package['type'];
  /** OSV's name with the release, `Alpine:v3.20`; absent when the distribution is not known. */
  readonly ecosystem?: string;
  readonly name: string;
  readonly version: string;
  readonly arch?: string;
  readonly source?: Package['source'];
  readonly module?: string;
  readonly thirdParty?: true;
  readonly licence?: string;
  readonly purl: string;
  readonly layer?: string;
  readonly path: string;
}

/** Why a finding does not count. */
export type SetAside =
  | {
      readonly by: 'ignore-file';
      /** File, and its line. */
      readonly document: string;
      readonly line: number;
      /** RFC 3339; absent when it has no end. */
      readonly until?: string;
      readonly reason?: string;
    }
  | {
      readonly by: 'vex';
      /** File, or digest of what is attached to the image. */
      readonly document: string;
      readonly reason: string;
    };

export interface ReportedFinding {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly package: string;
  readonly installed: string;
  readonly fixed?: string;
  /** The fix that needs a subscription, where there is no other. */
  readonly subscriptionFix?: string;
  readonly status: Finding['status'];
  /** The severity that counts, and whose it is. */
  readonly severity: Severity;
  readonly severitySource?: string;
  readonly severities: readonly SeverityStatement[];
  readonly kev?: string;
  readonly epss?: Finding['epss'];
  readonly published?: string;
  /** The package itself is the attack. */
  readonly malicious?: true;
  /** Headers of a kernel, of which nothing runs. */
  readonly kernelHeaders?: true;
  readonly advisories: readonly string[];
  readonly purl: string;
  readonly layer?: string;
  readonly path: string;
  /** All of them, where copies lie in several places. */
  readonly paths?: readonly string[];
  /** What VEX says, whatever it says. */
  readonly vex?: FindingVex;
  readonly setAside?: SetAside;
}

/** A layer, lowest first. */
export interface ReportedLayer {
  readonly digest?: string;
  /** The build step that made it. */
  readonly createdBy?: string;
}

/** An ignore file that was used, and its lines without effect. */
interface UsedIgnoreFile {
  readonly file: string;
  /** Lines whose end has come. */
  readonly expired: readonly IgnoreLine[];
  /** Lines that concern nothing that was found. */
  readonly unused: readonly IgnoreLine[];
}

/** What `breakwater scan -o json` prints. Members may be added, not changed. Schema: docs/schemas/scan-report.schema.json. */
export interface ScanReport {
  readonly target: string;
  readonly digest?: string;
  /** Absent where nothing is known of layers. */
  readonly layers?: readonly ReportedLayer[];
  readonly distribution?: Distribution;
  readonly packages: readonly ReportedPackage[];
  readonly findings: readonly ReportedFinding[];
  /** Findings without a fix that were left out because that was asked for. */
  readonly hidden?: number;
  readonly ignoreFile?: UsedIgnoreFile;
  readonly coverage: Coverage;
  readonly verdict: Verdict;
}

export interface ReportInput {
  readonly target: ScannedTarget;
  readonly database: AdvisoryDatabase;
  /** From where on the verdict blocks; `off` leaves it to the built-in policy, which only warns. */
  readonly failOn: FailOn;
  /** Leaves out what has no fix. */
  readonly onlyFixable?: boolean;
  readonly ignoreFile?: IgnoreFile;
  readonly vex?: readonly VexStatement[];
  /** Epoch ms. */
  readonly now: number;
}

/** A report, and the findings in it as they were found, in the same order. */
export interface JudgedScan {
  readonly report: ScanReport;
  readonly findings: readonly Finding[];
}

/** Matches and judges what was found in a target, by the built-in policy. Pure but for the database. */
export function judgeScan(input: ReportInput): JudgedScan {
  const { target, database, failOn, onlyFixable, ignoreFile, vex = [], now } = input;
  const { inventory } = target;
  const policy = scanPolicy(failOn);
  const { findings: matched, coverage } = evaluate(inventory, database);
  const all = vex.length === 0 ? matched : applyVex(matched, vex, vexSubject(target));
  const findings = onlyFixable ? all.filter(({ fixed }) => fixed !== undefined) : all;
  const hash = inventoryHash(inventory);
  const verdict = judge({
    // A folder or archive without a manifest is known by what is in it.
    subject: target.digest ?? hash,
    repository: target.repository,
    inventory: inventoryFacts(hash, inventory),
    findings,
    coverage,
    policy,
    policyVersion: 0,
    exceptions: exceptionsOf(ignoreFile),
    clocks: [],
    advisories: { version: database.version, builtAt: Date.parse(database.builtAt) },
    now,
  });
  const report: ScanReport = {
    target: target.name,
    ...(target.digest === undefined ? {} : { digest: target.digest }),
    ...(inventory.layers ? { layers: inventory.layers } : {}),
    ...(inventory.distribution ? { distribution: inventory.distribution } : {}),
    packages: inventory.packages.map((pkg) => reportedPackage(pkg, inventory)),
    findings: findings.map((finding) => ({
      ...reportedFinding(finding, inventory, policy),
      ...setAsideBy(finding, ignoreFile, now),
    })),
    ...(onlyFixable ? { hidden: all.length - findings.length } : {}),
    ...(ignoreFile ? { ignoreFile: { file: ignoreFile.path, ...idleLines(ignoreFile, all, now) } } : {}),
    coverage,
    verdict,
  };
  return { report, findings };
}

function reportedPackage(pkg: Package, { distribution }: Inventory): ReportedPackage {
  const { type, name, version, arch, source, module, thirdParty, licence, purl, layer, path } = pkg;
  const ecosystem = ecosystemOf(pkg, distribution);
  return {
    type,
    ...(ecosystem === undefined ? {} : { ecosystem }),
    name,
    version,
    ...(arch === undefined ? {} : { arch }),
    ...(source ? { source } : {}),
    ...(module === undefined ? {} : { module }),
    ...(thirdParty === undefined ? {} : { thirdParty }),
    ...(licence === undefined ? {} : { licence }),
    purl,
    ...(layer === undefined ? {} : { layer }),
    path,
  };
}

function reportedFinding(finding: Finding, { distribution }: Inventory, policy: Policy): ReportedFinding {
  const { severity, source } = effectiveSeverity(finding, distribution, policy);
  const { id, aliases, installed, fixed, subscriptionFix, status, severities, advisories, paths, vex } = finding;
  const { kev, epss, published, malicious, kernelHeaders } = finding;
  const { name, purl, layer, path } = finding.package;
  return {
    id,
    aliases,
    package: name,
    installed,
    ...(fixed === undefined ? {} : { fixed }),
    ...(subscriptionFix === undefined ? {} : { subscriptionFix }),
    status,
    severity,
    ...(source === undefined ? {} : { severitySource: source }),
    severities,
    ...(kev === undefined ? {} : { kev }),
    ...(epss === undefined ? {} : { epss }),
    ...(published === undefined ? {} : { published }),
    ...(malicious === undefined ? {} : { malicious }),
    ...(kernelHeaders === undefined ? {} : { kernelHeaders }),
    advisories,
    purl,
    ...(layer === undefined ? {} : { layer }),
    path,
    ...(paths === undefined ? {} : { paths }),
    ...(vex === undefined ? {} : { vex }),
  };
}

function setAsideBy(finding: Finding, file: IgnoreFile | undefined, now: number): { readonly setAside?: SetAside } {
  const vex = dismissedBy(finding);
  if (vex) return { setAside: { by: 'vex', document: vex.document, reason: describeVex(vex) } };
  const found = lineFor(finding, file, now);
  if (!file || !found) return {};
  const { line, until, reason } = found;
  return {
    setAside: {
      by: 'ignore-file',
      document: file.path,
      line,
      ...(until === undefined ? {} : { until: toRfc3339(until) }),
      ...(reason === undefined ? {} : { reason }),
    },
  };
}

/** What a VEX statement may call the image. */
function vexSubject({ digest, subject, inventory }: ScannedTarget): VexSubject {
  const { name, repository, tag } = subject;
  const tagged = repository === undefined ? [] : [tag === undefined ? repository : `${repository}:${tag}`];
  return {
    digests: digest === undefined ? [] : [digest],
    names: [name, ...tagged],
    purls: inventory.packages.map(({ purl }) => purl),
  };
}
