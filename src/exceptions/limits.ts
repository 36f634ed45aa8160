import type { Severity } from '../model/severity.ts';
import { toRfc3339 } from '../platform/clock.ts';
import type { Policy } from '../policy/policy.ts';
import { ExceptionError } from './errors.ts';

const DAY = 86_400_000;

type Level = keyof Policy['exceptions']['mostDays'];

/** How long exceptions may last in one place, by the policy that counts there. */
export interface Limits extends Readonly<Policy['exceptions']> {
  /** What a severity that nobody knows counts as. */
  readonly unknownSeverity: Severity;
}

/** The limits that a policy sets. */
export function limitsIn({ exceptions, unknownSeverity }: Pick<Policy, 'exceptions' | 'unknownSeverity'>): Limits {
  return { ...exceptions, unknownSeverity };
}

/** What is known here of the vulnerability that an exception is about. */
export interface KnownRisk {
  /** Every id under which an exception may count for the same finding, in lower case. Empty for an exception that is about a rule. */
  readonly names: ReadonlySet<string>;
  /** The worst that anybody says; `critical` for a rule, `unknown` where nobody says anything. */
  readonly severity: Severity;
}

/** What the limits depend on. */
export interface LimitSource {
  /** Of a project, or of the installation for its id `''`. */
  limitsOf(projectId: string): Promise<Limits>;
  /**
   * What advisories know of vulnerabilities by ids of theirs in lower case: every id under which an exception may count for the same finding, and
   * the worst that any source says. What they do not know may be left out.
   */
  knownAs(ids: readonly string[]): Promise<ReadonlyMap<string, KnownRisk>>;
}

/** The end of an exception, and since when it and those it continues count. Epoch ms. */
export interface Ending {
  /** `critical` where nobody knows what is in the image: it cannot be read, or is not written about any more. */
  readonly severity: Severity;
  readonly until: number;
  /** Absent: it continues none. */
  readonly lifeFrom?: number | undefined;
}

/** Refuses an end that is over, or further away than the policy lets it be. Throws `ExceptionError('exception_invalid')`. */
export function checkEnd(limits: Limits, { severity, until, lifeFrom }: Ending, now: number): void {
  if (!(until > now))
    throw new ExceptionError(
      'exception_invalid',
      `the end date must lie in the future: ${Number.isFinite(until) ? `${toRfc3339(until)} is over` : 'this is no date'}`,
    );
  const level = levelOf(severity === 'unknown' ? limits.unknownSeverity : severity);
  const most = limits.mostDays[level];
  if (until > now + most * DAY)
    throw new ExceptionError(
      'exception_invalid',
      `the end date must lie within ${most} days, the most for severity ${level}: not after ${toRfc3339(now + most * DAY)}; ask again when it ends`,
    );
  const life = limits.mostLifeDays;
  const began = lifeFrom ?? now;
  if (until > began + life * DAY)
    throw new ExceptionError(
      'exception_invalid',
      `with all it continues it would last longer than ${life} days: it began to count ${toRfc3339(began)} and may last until ${toRfc3339(began + life * DAY)}; fix it before`,
    );
}

/** The furthest end that a new exception of a vulnerability of that severity may have. Epoch ms. */
export function furthestEnd(limits: Limits, severity: Severity, now: number): number {
  return latestEnd(limits, { severity }, now);
}

/** The furthest end that `checkEnd` takes. Epoch ms. */
export function latestEnd(limits: Limits, { severity, lifeFrom }: Omit<Ending, 'until'>, now: number): number {
  const level = levelOf(severity === 'unknown' ? limits.unknownSeverity : severity);
  return Math.min(now + limits.mostDays[level] * DAY, (lifeFrom ?? now) + limits.mostLifeDays * DAY);
}

/** Days that a new exception of a vulnerability of that severity may last. */
export function mostDaysOf(limits: Limits, severity: Severity): number {
  const level = levelOf(severity === 'unknown' ? limits.unknownSeverity : severity);
  return Math.min(limits.mostDays[level], limits.mostLifeDays);
}

function levelOf(severity: Severity): Level {
  return severity === 'critical' || severity === 'high' || severity === 'medium' ? severity : 'low';
}
