import type { Reason } from '../model/verdict.ts';
import { toRfc3339 } from '../platform/clock.ts';

type Subject = Pick<Reason, 'vulnerability' | 'package' | 'installed' | 'fixed'>;

/** `CVE-2019-14697 in musl 1.1.22-r2 (fixed in 1.1.22-r3)`: the words every surface uses for a finding. */
export function describeFinding({ vulnerability, package: name, installed, fixed }: Subject): string {
  const fix = fixed === undefined ? 'no fix yet' : `fixed in ${fixed}`;
  return `${vulnerability} in ${name} ${installed} (${fix})`;
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
export function describeTime(reason: Pick<Reason, 'kind' | 'deadline' | 'suppressedBy'>): string {
  if (reason.suppressedBy)
    return `excepted until ${toRfc3339(reason.suppressedBy.until)} by exception ${reason.suppressedBy.exception}`;
  if (reason.deadline === undefined) return '';
  const date = toRfc3339(reason.deadline);
  return reason.kind === 'block' ? `grace period ended ${date}` : `blocks from ${date}`;
}
