import type { Finding } from '../model/finding.ts';
import type { Verdict } from '../model/verdict.ts';
import { canonicalHash, compareText } from '../oci/canonical.ts';
import { type ClockReading, clockPackage } from './clocks.ts';
import { type Countable, countFindings } from './counts.ts';
import { effectiveSeverity } from './effective-severity.ts';
import { concernsFinding, concernsImage, lastsLongest } from './exception-match.ts';
import type { GrantedException } from './exceptions.ts';
import { dismissedBy, nextChangeOf, type WeighedFinding } from './finding-lines.ts';
import { findingReasons } from './finding-reasons.ts';
import { imageMoments, imageReasons } from './image-reasons.ts';
import type { JudgeInput } from './judge-input.ts';
import { compareReasons, worstKind } from './reason-order.ts';

export type { JudgeInput } from './judge-input.ts';

/**
 * The decision about one runnable image. Pure, synchronous, deterministic; the order of the inputs does not matter.
 * Hashing the inputs is computation too: nothing is read and nothing is remembered.
 */
export function judge(input: JudgeInput): Verdict {
  const { policy, now } = input;
  const exceptions = input.exceptions.filter((exception) => concernsImage(exception, input.repository, input.subject));
  const clocks = earliestReadings(input.clocks);
  const weighed = input.findings
    .filter((finding) => finding.status !== 'not_affected')
    .map((finding) => weigh(finding, input, exceptions, clocks));
  const reasons = [...imageReasons(input, now), ...weighed.flatMap((entry) => findingReasons(entry, policy, now))].sort(
    compareReasons,
  );
  const changesAt = earliest([
    ...imageMoments(input).filter((moment) => moment > now),
    ...weighed.map((entry) => nextChangeOf(entry, policy, now)),
  ]);
  return {
    kind: worstKind(reasons),
    subject: input.subject,
    reasons,
    counts: countFindings(weighed.map((entry) => asCountable(entry, now))),
    inputs: {
      inventory: input.inventory.hash,
      advisories: input.advisories?.version ?? '',
      policy: input.policyVersion,
      exceptions: hashExceptions(weighed),
      vex: hashVex(weighed),
      clocks: hashClocks(weighed),
    },
    judgedAt: now,
    ...(changesAt === undefined ? {} : { changesAt }),
  };
}

function weigh(
  finding: Finding,
  input: JudgeInput,
  exceptions: readonly GrantedException[],
  clocks: Clocks,
): WeighedFinding {
  const running = clocks.get(clockPackage(finding.package));
  // A vulnerability may have been seen under another of its ids before it got its CVE.
  const seen = [finding.id, ...finding.aliases].map((id) => running?.get(id));
  return {
    finding,
    severity: effectiveSeverity(finding, input.inventory.distribution, input.policy),
    exceptions: exceptions.filter((exception) => concernsFinding(exception, finding)),
    firstSeen: earliest(seen) ?? input.now,
  };
}

/** When vulnerabilities were first seen, by package and then by id. */
type Clocks = ReadonlyMap<string, ReadonlyMap<string, number>>;

function earliestReadings(readings: readonly ClockReading[]): Clocks {
  const clocks = new Map<string, Map<string, number>>();
  for (const { vulnerability, package: name, firstSeen } of readings) {
    const running = clocks.get(name) ?? new Map<string, number>();
    clocks.set(name, running);
    running.set(vulnerability, Math.min(firstSeen, running.get(vulnerability) ?? firstSeen));
  }
  return clocks;
}

function asCountable({ finding, severity, exceptions }: WeighedFinding, now: number): Countable {
  return {
    severity: severity.severity,
    fixable: finding.fixed !== undefined,
    suppressed: dismissedBy(finding) !== undefined || lastsLongest(exceptions, now) !== undefined,
  };
}

/** Only exceptions that speak of a finding: granting one for something else makes no other verdict. */
function hashExceptions(weighed: readonly WeighedFinding[]): string {
  const byId = new Map(weighed.flatMap((entry) => entry.exceptions.map((exception) => [exception.id, exception])));
  return canonicalHash([...byId.values()].sort((a, b) => compareText(a.id, b.id)));
}

/** What VEX says of the findings: without it the same as with statements about other things. */
function hashVex(weighed: readonly WeighedFinding[]): string {
  const marks = weighed.flatMap(({ finding: { id, package: pkg, vex } }) =>
    vex ? [[id, pkg.purl, vex] as const] : [],
  );
  return canonicalHash(marks.sort((a, b) => compareText(a[0], b[0]) || compareText(a[1], b[1])));
}

function hashClocks(weighed: readonly WeighedFinding[]): string {
  const readings = weighed.map(
    ({ finding, firstSeen }) => `${finding.id} ${clockPackage(finding.package)} ${firstSeen}`,
  );
  return canonicalHash([...new Set(readings)].sort());
}

function earliest(moments: readonly (number | undefined)[]): number | undefined {
  return moments.reduce<number | undefined>(
    (first, moment) => (moment === undefined || (first !== undefined && first <= moment) ? first : moment),
    undefined,
  );
}
