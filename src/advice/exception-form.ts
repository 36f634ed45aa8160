import { limitsIn, mostDaysOf } from '../exceptions/limits.ts';
import { worstSeverity } from '../model/severity.ts';
import type { Reason } from '../model/verdict.ts';
import type { ExceptionRule, GrantedException } from '../policy/exceptions.ts';
import type { JudgeInput } from '../policy/judge.ts';
import type { Policy } from '../policy/policy.ts';
import type { ExceptionPart } from './advice.ts';
import type { Upgradable } from './upgradable.ts';

const DAY = 86_400_000;
/** What is asked for where the policy would give longer: whoever needs more says so. */
const USUAL_DAYS = 30;

/** What blocks because of one vulnerability, and in what. */
export interface Carried {
  readonly vulnerability: string;
  readonly reasons: readonly Reason[];
  readonly upgradables: readonly Upgradable[];
}

/** The request for an exception from one vulnerability: as narrow as it may be, as long as the policy lets it be. */
export function exceptionFor(
  { vulnerability, reasons, upgradables }: Carried,
  { repository, policy, now }: Pick<JudgeInput, 'repository' | 'policy' | 'now'>,
): ExceptionPart {
  const [only, ...others] = upgradables;
  const fixed = reasons.find((reason) => reason.fixed !== undefined)?.fixed;
  return {
    kind: 'exception',
    vulnerability,
    ...(only && others.every(({ name }) => name === only.name) ? { package: only.name } : {}),
    repository: pathInProject(repository),
    until: lastDay(now, Math.min(USUAL_DAYS, mostDays(reasons, policy))),
    ...(fixed === undefined ? {} : { fixed }),
  };
}

/** The request for an exception from a rule about the image as a whole: for this very image, as if it were as bad as can be. */
export function ruleExceptionFor(
  rule: ExceptionRule,
  { subject, repository, policy, now }: Pick<JudgeInput, 'subject' | 'repository' | 'policy' | 'now'>,
): ExceptionPart {
  return {
    kind: 'exception',
    rule,
    digest: subject,
    repository: pathInProject(repository),
    until: lastDay(now, Math.min(USUAL_DAYS, mostDaysOf(limitsIn(policy), 'critical'))),
  };
}

function pathInProject(repository: string): string {
  return repository.slice(repository.indexOf('/') + 1);
}

/** The exception there would be, granted as it is asked for. */
export function asGranted(
  { vulnerability, rule, digest, package: name, repository, until }: ExceptionPart,
  now: number,
): GrantedException {
  return {
    id: `advised ${vulnerability ?? rule}`,
    ...(vulnerability === undefined ? {} : { vulnerability }),
    ...(rule === undefined ? {} : { rule }),
    ...(digest === undefined ? {} : { digest }),
    ...(name === undefined ? {} : { package: { name } }),
    repository,
    from: now,
    until: Date.parse(until) + DAY,
  };
}

/** Days that an exception may last, by the worst that anybody says. */
function mostDays(reasons: readonly Reason[], policy: Policy): number {
  const said = reasons.flatMap(({ severity, severities = [] }) => [severity, ...severities.map((one) => one.severity)]);
  return mostDaysOf(limitsIn(policy), worstSeverity(said, 'unknown'));
}

/** The last day whose end (UTC) is within so many days. */
function lastDay(now: number, days: number): string {
  return new Date(now + (days - 1) * DAY).toISOString().slice(0, 10);
}
