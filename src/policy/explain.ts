import type { Reason, Verdict, VerdictKind } from '../model/verdict.ts';

const WORDS: Readonly<Record<VerdictKind, string>> = {
  allow: 'allowed',
  warn: 'allowed with a warning',
  block: 'blocked',
};

/** The verdict in one sentence without a line break: the decision and the worst reason, as every surface prints it. */
export function explain(verdict: Verdict): string {
  return `${WORDS[verdict.kind]}: ${why(verdict)}`;
}

/** The same without the decision: the worst reason alone, for callers that put it behind words of their own. */
export function why(verdict: Verdict): string {
  const counting = countingReasons(verdict);
  const worst = counting.find((reason) => reason.rule !== 'platform') ?? counting[0];
  if (!worst) return clean(nothingCounts(verdict));
  const others = counting.filter((reason) => reason.rule !== 'platform').length - 1;
  return clean(others > 0 ? `${worst.message}; and ${others} more` : worst.message);
}

/** The reasons the decision rests on, worst first: those that ask for it. None for `allow`. */
export function countingReasons(verdict: Verdict): readonly Reason[] {
  return verdict.kind === 'allow' ? [] : verdict.reasons.filter((reason) => reason.kind === verdict.kind);
}

function nothingCounts({ counts, reasons }: Verdict): string {
  const [shown] = reasons.filter((reason) => reason.rule === 'not-runnable');
  if (shown) return shown.message;
  const excepted = counts.suppressed > 0 ? `, ${counts.suppressed} excepted` : '';
  if (counts.total === 0) return `no known vulnerabilities${excepted}`;
  const known = counts.total === 1 ? '1 known vulnerability' : `${counts.total} known vulnerabilities`;
  return `${known} below what this project acts on${excepted}`;
}

/** One line of printable text: package names and versions are foreign bytes. */
export function clean(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}
