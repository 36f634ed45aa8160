import type { Coverage } from '../../model/coverage.ts';
import type { Finding } from '../../model/finding.ts';
import type { Distribution, Inventory, Package } from '../../model/inventory.ts';
import type { Severity, SeverityStatement } from '../../model/severity.ts';
import type { Verdict } from '../../model/verdict.ts';
import { effectiveSeverity } from '../../policy/effective-severity.ts';
import { judge } from '../../policy/judge.ts';
import { defaultPolicy, type Policy, type Threshold } from '../../policy/policy.ts';
import type { AdvisoryDatabase } from '../../scanner/advisories/index.ts';
import { inventoryHash } from '../../scanner/inventory-hash.ts';
import { ecosystemOf } from '../../scanner/matcher/ecosystem.ts';
import { evaluate, inventoryFacts } from '../../verdicts/evaluate.ts';
import type { ScannedTarget } from './target.ts';

interface ReportedPackage {
  readonly type: Package['type'];
  /** OSV's name with the release, `Alpine:v3.20`; absent when the distribution is not known. */
  readonly ecosystem?: string;
  readonly name: string;
  readonly version: string;
  readonly source?: Package['source'];
  readonly purl: string;
  readonly layer?: string;
  readonly path: string;
}

export interface ReportedFinding {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly package: string;
  readonly installed: string;
  readonly fixed?: string;
  readonly status: Finding['status'];
  /** The severity that counts, and whose it is. */
  readonly severity: Severity;
  readonly severitySource?: string;
  readonly severities: readonly SeverityStatement[];
  readonly kev?: string;
  readonly epss?: Finding['epss'];
  readonly advisories: readonly string[];
  readonly purl: string;
  readonly layer?: string;
}

/** What `breakwater scan -o json` prints. Members may be added, not changed. */
export interface ScanReport {
  readonly target: string;
  readonly digest?: string;
  readonly distribution?: Distribution;
  readonly packages: readonly ReportedPackage[];
  readonly findings: readonly ReportedFinding[];
  readonly coverage: Coverage;
  readonly verdict: Verdict;
}

export interface ReportInput {
  readonly target: ScannedTarget;
  readonly database: AdvisoryDatabase;
  /** Severity from which the verdict blocks; `off` leaves it to the built-in policy, which only warns. */
  readonly failOn: Threshold;
  /** Epoch ms. */
  readonly now: number;
}

/** Matches and judges what was found in a target, by the built-in policy. Pure but for the database. */
export function scanReport({ target, database, failOn, now }: ReportInput): ScanReport {
  const { inventory } = target;
  const policy: Policy = { ...defaultPolicy, block: { fixable: failOn, unfixable: failOn } };
  const { findings, coverage } = evaluate(inventory, database);
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
    exceptions: [],
    clocks: [],
    advisories: { version: database.version, builtAt: Date.parse(database.builtAt) },
    now,
  });
  return {
    target: target.name,
    ...(target.digest === undefined ? {} : { digest: target.digest }),
    ...(inventory.distribution ? { distribution: inventory.distribution } : {}),
    packages: inventory.packages.map((pkg) => reportedPackage(pkg, inventory)),
    findings: findings.map((finding) => reportedFinding(finding, inventory, policy)),
    coverage,
    verdict,
  };
}

function reportedPackage(pkg: Package, { distribution }: Inventory): ReportedPackage {
  const ecosystem = ecosystemOf(pkg, distribution);
  return {
    type: pkg.type,
    ...(ecosystem === undefined ? {} : { ecosystem }),
    name: pkg.name,
    version: pkg.version,
    ...(pkg.source ? { source: pkg.source } : {}),
    purl: pkg.purl,
    ...(pkg.layer === undefined ? {} : { layer: pkg.layer }),
    path: pkg.path,
  };
}

function reportedFinding(finding: Finding, { distribution }: Inventory, policy: Policy): ReportedFinding {
  const { severity, source } = effectiveSeverity(finding, distribution, policy);
  return {
    id: finding.id,
    aliases: finding.aliases,
    package: finding.package.name,
    installed: finding.installed,
    ...(finding.fixed === undefined ? {} : { fixed: finding.fixed }),
    status: finding.status,
    severity,
    ...(source === undefined ? {} : { severitySource: source }),
    severities: finding.severities,
    ...(finding.kev === undefined ? {} : { kev: finding.kev }),
    ...(finding.epss === undefined ? {} : { epss: finding.epss }),
    advisories: finding.advisories,
    purl: finding.package.purl,
    ...(finding.package.layer === undefined ? {} : { layer: finding.package.layer }),
  };
}
