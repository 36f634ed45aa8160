import type { Contact, Reason, ToldVerdict, VerdictKind } from '../model/verdict.ts';
import { toRfc3339 } from '../platform/clock.ts';
import { defined } from '../platform/defined.ts';
import { oneLine } from '../platform/one-line.ts';
import { describeFinding, describeTime } from './describe.ts';
import { worstKind } from './reason-order.ts';

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
  /** The part of `why` that is about how the image is referred to, where that counts. */
  readonly reference?: string;
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

/** True for what is said of how an image is referred to, whatever is in it. */
export function isAboutReference({ rule }: Pick<Reason, 'rule'>): boolean {
  return rule === 'disallowed-tag' || rule === 'digest-required';
}

/** What one sentence says of it: findings are not counted for that. */
export type Spoken = Omit<Explanation, 'findings' | 'findingCount'>;

/**
 * What there is to say of a verdict. Names and versions in it are foreign bytes: control characters are gone. How the image is referred
 * to comes first and apart, so that who knows only the sentence about the image can say the same.
 */
export function explanationOf(verdict: ToldVerdict): Explanation {
  return referenceFirst(verdict, explanationOfImage);
}

/** The same without the findings. */
export function spokenOf(verdict: ToldVerdict): Spoken {
  return referenceFirst(verdict, spokenOfImage);
}

function referenceFirst<Said extends Spoken>(
  verdict: ToldVerdict,
  ofImage: (verdict: ToldVerdict) => Said,
): Said | Explanation {
  const own = verdict.reasons.filter((reason) => !isAboutReference(reason));
  if (own.length === verdict.reasons.length) return ofImage(verdict);
  const image = { ...verdict, kind: worstKind(own), reasons: own };
  const lines = countingReasons(verdict).filter(isAboutReference);
  // Nothing else matters about what is under quarantine.
  const isQuarantined = own.some(({ rule, kind }) => rule === 'quarantine' && kind === 'block');
  if (lines.length === 0 || isQuarantined) return ofImage(image);
  if (image.kind !== verdict.kind) return explanationOfReference(verdict, lines);
  const { why, brief, deadline, ...rest } = ofImage(image);
  const reference = referenceWords(lines);
  const moments = [deadline, deadlineOf({ ...verdict, reasons: lines })].filter((moment) => moment !== undefined);
  return {
    ...rest,
    reference,
    why: `${reference}; ${why}`,
    brief: `${reference}; ${brief}`,
    ...(moments.length === 0 ? {} : { deadline: Math.min(...moments) }),
  } as Said;
}

/** Lines about a reference in words, one after the other. */
export function referenceWords(lines: readonly Reason[]): string {
  return lines.map(({ message }) => oneLine(message)).join('; ');
}

/** What there is to say where nothing but the reference asks for the decision. */
export function explanationOfReference(
  verdict: Pick<ToldVerdict, 'kind' | 'judgedAt' | 'contact'>,
  lines: readonly Reason[],
): Explanation {
  const reference = referenceWords(lines);
  const deadline = deadlineOf({ ...verdict, reasons: lines });
  return {
    kind: verdict.kind,
    why: reference,
    brief: reference,
    reference,
    findings: [],
    findingCount: 0,
    others: 0,
    ...defined({ deadline, contact: verdict.contact }),
  };
}

function explanationOfImage(verdict: ToldVerdict): Explanation {
  const findings = distinctFindings(countingReasons(verdict));
  return {
    ...spokenOfImage(verdict),
    findings: findings.slice(0, MOST_NAMED).map(asExplained),
    findingCount: findings.length,
  };
}

function spokenOfImage(verdict: ToldVerdict): Spoken {
  const counting = countingReasons(verdict);
  const weighty = counting.filter((reason) => reason.rule !== 'platform');
  const worst = weighty[0] ?? counting[0];
  const deadline = deadlineOf(verdict);
  const until = deadline === undefined ? undefined : untilWords(verdict.kind, deadline, worst);
  return {
    kind: verdict.kind,
    why: oneLine(worst?.message ?? nothingCounts(verdict)),
    brief: oneLine(worst ? briefOf(worst) : nothingCounts(verdict)),
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

/** Whom to ask, for words that say "ask" themselves: many a policy says it too. */
export function whomToAsk(text: string): string {
  return oneLine(text).replace(/^ask\s+(?=\S)/i, '');
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

function deadlineOf({
  kind,
  judgedAt,
  reasons,
}: Pick<ToldVerdict, 'kind' | 'judgedAt' | 'reasons'>): number | undefined {
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
  // What could not be read may hold anything.
  const [shown] = reasons.filter(({ rule }) => rule === 'not-runnable' || rule === 'unscannable');
  if (shown) return shown.message;
  const setAside = counts.suppressed > 0 ? `, ${counts.suppressed} set aside` : '';
  if (counts.total === 0) return `no known vulnerabilities${setAside}`;
  const known = counts.total === 1 ? '1 known vulnerability' : `${counts.total} known vulnerabilities`;
  return `${known} below what this project acts on${setAside}`;
}
