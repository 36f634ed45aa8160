import type { Contact, Reason, ToldVerdict, VerdictKind } from '../model/verdict.ts';
import { toRfc3339 } from '../platform/clock.ts';
import { defined } from '../platform/defined.ts';
import { describeFinding, describeTime } from './describe.ts';

/** A finding as every surface names it. */
export type ExplainedFinding = Pick<
  Reason,
  | 'vulnerability'
  | 'package'
  | 'installed'
  | 'fixed'
  | 'subscriptionFix'
  | 'status'
  | 'severity'
  | 'severitySource'
  | 'kev'
  | 'deadline'
  | 'kind'
>;

/**
 * What there is to say of a verdict, whoever is told: pull, push, webhook, command line, API, mail. Each surface renders this, in
 * its own length and order; none says anything else.
 */
export interface Explanation {
  readonly kind: VerdictKind;
  /** The worst reason that counts; without one, what was found and does not count. One line of printable text. */
  readonly why: string;
  /** The same in as few words as it takes. */
  readonly brief: string;
  /** The worst findings that count, each once, and how many there are. */
  readonly findings: readonly ExplainedFinding[];
  readonly findingCount: number;
  /** How many reasons count beside the worst. */
  readonly others: number;
  /** When time makes it stricter: the first grace period of what warns, or the first exception of what is allowed ends. Epoch ms. */
  readonly deadline?: number;
  /** The date in words, where `why` does not name it. */
  readonly until?: string;
  /** Whom to ask and where to read on, as the policy says. */
  readonly contact?: Contact;
}

/** The findings that messages name. */
const MOST_NAMED = 3;

/** What one sentence says of it: findings are not counted for that. */
export type Spoken = Omit<Explanation, 'findings' | 'findingCount'>;

/** What there is to say of a verdict. Names and versions in it are foreign bytes: control characters are gone. */
export function explanationOf(verdict: ToldVerdict): Explanation {
  const findings = distinctFindings(countingReasons(verdict));
  return {
    ...spokenOf(verdict),
    findings: findings.slice(0, MOST_NAMED).map(asExplained),
    findingCount: findings.length,
  };
}

/** The same without the findings. */
export function spokenOf(verdict: ToldVerdict): Spoken {
  const counting = countingReasons(verdict);
  const weighty = counting.filter((reason) => reason.rule !== 'platform');
  const worst = weighty[0] ?? counting[0];
  const deadline = deadlineOf(verdict);
  const until = deadline === undefined ? undefined : untilWords(verdict.kind, deadline, worst);
  return {
    kind: verdict.kind,
    why: clean(worst?.message ?? nothingCounts(verdict)),
    brief: clean(worst ? briefOf(worst) : nothingCounts(verdict)),
    others: Math.max(0, weighty.length - 1),
    ...(deadline === undefined ? {} : { deadline }),
    ...(until === undefined ? {} : { until }),
    ...(verdict.contact ? { contact: verdict.contact } : {}),
  };
}

/** The reasons the decision rests on, worst first: those that ask for it. None for `allow`. */
export function countingReasons(verdict: ToldVerdict): readonly Reason[] {
  return verdict.kind === 'allow' ? [] : verdict.reasons.filter((reason) => reason.kind === verdict.kind);
}

/** One line of printable text: package names and versions are foreign bytes. */
export function clean(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}

/** A vulnerability of a package may break several rules; it is named once. */
function distinctFindings(reasons: readonly Reason[]): readonly Reason[] {
  const named = new Map<string, Reason>();
  for (const reason of reasons) {
    if (reason.vulnerability === undefined) continue;
    const key = describeFinding(reason);
    if (!named.has(key)) named.set(key, reason);
  }
  return [...named.values()];
}

function asExplained(reason: Reason): ExplainedFinding {
  const { vulnerability, package: name, installed, fixed, subscriptionFix, status, deadline, kev } = reason;
  const { kind, severity, severitySource } = reason;
  const given = {
    vulnerability,
    package: name,
    installed,
    fixed,
    subscriptionFix,
    status,
    severitySource,
    kev,
    deadline,
  };
  return {
    kind,
    severity,
    ...defined(given),
  };
}

function briefOf(reason: Reason): string {
  if (reason.vulnerability === undefined) return reason.message;
  return [describeFinding(reason), describeTime(reason)].filter(Boolean).join('; ');
}

function deadlineOf({ kind, judgedAt, reasons }: ToldVerdict): number | undefined {
  const moments = reasons.flatMap((reason) => {
    if (kind === 'warn') return reason.kind === 'warn' ? (reason.deadline ?? []) : [];
    return kind === 'allow' ? (reason.suppressedBy?.until ?? []) : [];
  });
  const ahead = moments.filter((moment) => moment > judgedAt);
  return ahead.length === 0 ? undefined : Math.min(...ahead);
}

function untilWords(kind: VerdictKind, deadline: number, worst: Reason | undefined): string | undefined {
  if (kind === 'allow') return `the first exception ends ${toRfc3339(deadline)}`;
  return worst?.deadline === deadline ? undefined : `the first blocks from ${toRfc3339(deadline)}`;
}

function nothingCounts({ counts, reasons }: ToldVerdict): string {
  const [shown] = reasons.filter((reason) => reason.rule === 'not-runnable');
  if (shown) return shown.message;
  const excepted = counts.suppressed > 0 ? `, ${counts.suppressed} excepted` : '';
  if (counts.total === 0) return `no known vulnerabilities${excepted}`;
  const known = counts.total === 1 ? '1 known vulnerability' : `${counts.total} known vulnerabilities`;
  return `${known} below what this project acts on${excepted}`;
}
