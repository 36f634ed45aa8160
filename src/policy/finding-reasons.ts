import type { Finding } from '../model/finding.ts';
import type { Reason } from '../model/verdict.ts';
import { toldSince } from './clocks.ts';
import { describeFinding, describeSeverity, describeTime, describeVex } from './describe.ts';
import { sortedStatements } from './effective-severity.ts';
import type { FindingLine, WeighedFinding } from './finding-lines.ts';

/** What a rule asks for because of a finding, as a line of the verdict. */
export function reasonOf({ finding, severity, clock }: WeighedFinding, line: FindingLine): Reason {
  const reason = {
    ...line,
    severity: severity.severity,
    ...(severity.source === undefined ? {} : { severitySource: severity.source }),
    severities: sortedStatements(finding.severities),
    vulnerability: finding.id,
    ...(finding.aliases.length > 0 ? { aliases: [...finding.aliases].sort() } : {}),
    package: finding.package.name,
    installed: finding.installed,
    ...(finding.fixed === undefined ? {} : { fixed: finding.fixed }),
    ...(finding.subscriptionFix === undefined ? {} : { subscriptionFix: finding.subscriptionFix }),
    ...(finding.status === 'affected' ? {} : { status: finding.status }),
    ...(finding.kev === undefined ? {} : { kev: true }),
    ...(finding.epss ? { epss: finding.epss.probability } : {}),
    firstSeen: toldSince(clock),
    source: finding.source,
  };
  return { ...reason, message: sentence(reason, finding) };
}

function sentence(reason: Omit<Reason, 'message'>, { kev, kernelHeaders, malicious, vex }: Finding): string {
  const parts = [`${describeFinding(reason)}: ${describeSeverity(reason)}`];
  if (reason.rule === 'kev') parts.push(`known to be exploited since ${kev} (CISA)`);
  if (reason.rule === 'epss') parts.push(`probability of exploitation ${percent(reason.epss ?? 0)} (EPSS)`);
  if (malicious) parts.push('the package itself is the attack: remove it');
  if (kernelHeaders) parts.push('headers only, nothing of a kernel runs from them');
  if (vex) parts.push(describeVex(vex));
  const time = describeTime(reason);
  if (time !== '') parts.push(time);
  return parts.join('; ');
}

function percent(probability: number): string {
  return `${(probability * 100).toFixed(1)} %`;
}
