import type { FindingStatus, FindingVex } from '../model/finding.ts';
import type { Reason } from '../model/verdict.ts';
import { toRfc3339 } from '../platform/clock.ts';

type Subject = Pick<Reason, 'vulnerability' | 'package' | 'installed' | 'fixed' | 'subscriptionFix' | 'status'>;

/** `CVE-2019-14697 in musl 1.1.22-r2 (fixed in 1.1.22-r3)`: the words every surface uses for a finding. */
export function describeFinding({ vulnerability, package: name, installed, ...fix }: Subject): string {
  return `${vulnerability} in ${name} ${installed} (${describeFix(fix)})`;
}

const WITHOUT_FIX: Readonly<Partial<Record<FindingStatus, string>>> = {
  will_not_fix: 'will not be fixed',
  fix_deferred: 'its fix is put off',
  end_of_life: 'gets no more fixes',
  under_investigation: 'no fix yet, still under investigation',
};

function describeFix({ fixed, subscriptionFix, status = 'affected' }: Omit<Subject, 'vulnerability'>): string {
  if (fixed !== undefined) return `fixed in ${fixed}`;
  if (subscriptionFix !== undefined) return `fixed in ${subscriptionFix}, which needs a subscription`;
  return WITHOUT_FIX[status] ?? 'no fix yet';
}

const SAYS: Readonly<Record<FindingVex['status'], string>> = {
  not_affected: 'it is not affected',
  affected: 'it is affected',
  fixed: 'it is fixed here',
  under_investigation: 'it is under investigation',
};

/** `it is not affected, says Acme (vulnerable_code_not_present; app.vex.json)`. */
export function describeVex({ status, justification, author, document, unverified }: FindingVex): string {
  const details = [justification, document, unverified ? 'nobody verified the author' : undefined];
  return `${SAYS[status]}, says ${author} (${details.filter((detail) => detail !== undefined).join('; ')})`;
}

/** `critical (nvd); debian says low`: what decided and who disagrees. */
export function describeSeverity(reason: Pick<Reason, 'severity' | 'severitySource' | 'severities'>): string {
  const decided =
    reason.severitySource === undefined ? 'severity unknown' : `${reason.severity} (${reason.severitySource})`;
  const others = (reason.severities ?? [])
    .filter((statement) => statement.source !== reason.severitySource && statement.severity !== reason.severity)
    .map(({ source, severity }) => `${source} says ${severity}`);
  return [decided, ...new Set(others)].join('; ');
}

/** What time has to do with a line; empty when nothing. */
export function describeTime(reason: Pick<Reason, 'kind' | 'deadline' | 'heldUntil' | 'suppressedBy'>): string {
  if (reason.suppressedBy)
    return `excepted until ${toRfc3339(reason.suppressedBy.until)} by exception ${reason.suppressedBy.exception}`;
  if (reason.heldUntil !== undefined)
    return `its score fell below the threshold and counts until ${toRfc3339(reason.heldUntil)}`;
  if (reason.deadline === undefined) return '';
  const date = toRfc3339(reason.deadline);
  return reason.kind === 'block' ? `grace period ended ${date}` : `blocks from ${date}`;
}
