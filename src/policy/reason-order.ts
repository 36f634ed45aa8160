import { SEVERITIES, severityRank } from '../model/severity.ts';
import type { Reason, Rule, VerdictKind } from '../model/verdict.ts';
import { compareText } from '../oci/canonical.ts';

const KINDS: Readonly<Record<VerdictKind, number>> = { allow: 0, warn: 1, block: 2 };

/** Findings are one group, ordered among themselves; a quarantine, the reference and what cannot be seen stand before, what dates the facts behind. */
const GROUPS: Readonly<Record<Rule, number>> = {
  quarantine: -3,
  'disallowed-tag': -2,
  'digest-required': -1,
  unscannable: 0,
  unscanned: 0,
  platform: 1,
  'severity-fixable': 2,
  'severity-unfixable': 2,
  kev: 2,
  epss: 2,
  'end-of-life': 3,
  'advisory-age': 4,
  'advisory-sample': 5,
  'not-runnable': 6,
};

/** The worst of what several lines ask for; `allow` when there are none. */
export function worstKind(lines: readonly { readonly kind: VerdictKind }[]): VerdictKind {
  return lines.reduce<VerdictKind>((worst, { kind }) => worse(worst, kind), 'allow');
}

/** The stricter of two. */
export function worse(a: VerdictKind, b: VerdictKind): VerdictKind {
  return KINDS[b] > KINDS[a] ? b : a;
}

/** What a line comes to when the whole asks for no more than `most`. */
export function milder(kind: VerdictKind, most: VerdictKind): VerdictKind {
  return KINDS[kind] > KINDS[most] ? most : kind;
}

/** A reason with its place among others as far as one number tells it: the lowest is the worst. */
export interface RankedReason {
  readonly reason: Reason;
  readonly rank: number;
}

export function ranked(reason: Reason): RankedReason {
  return { reason, rank: rankOf(reason) };
}

/** Worst first. */
export function inOrder(reasons: RankedReason[]): readonly Reason[] {
  reasons.sort((a, b) => a.rank - b.rank || compareEqualRanks(a.reason, b.reason));
  return reasons.map(({ reason }) => reason);
}

/** Worst first; total on different reasons, so that equal inputs give equal lists. */
export function compareReasons(a: Reason, b: Reason): number {
  return rankOf(a) - rankOf(b) || compareEqualRanks(a, b);
}

/** By kind, then group, severity, whether it is exploited and whether there is a fix: each a digit of the number. */
function rankOf({ kind, rule, severity, kev, fixed }: Reason): number {
  const kindAndGroup = (KINDS.block - KINDS[kind]) * 10 + (GROUPS[rule] - GROUPS.quarantine);
  const whole = kindAndGroup * SEVERITIES.length - severityRank(severity);
  return whole * 4 + (kev ? 0 : 2) + (fixed === undefined ? 1 : 0);
}

function compareEqualRanks(a: Reason, b: Reason): number {
  return (
    (b.epss ?? 0) - (a.epss ?? 0) ||
    compareText(a.vulnerability ?? '', b.vulnerability ?? '') ||
    compareText(a.package ?? '', b.package ?? '') ||
    compareText(a.installed ?? '', b.installed ?? '') ||
    compareText(a.rule, b.rule) ||
    compareText(a.message, b.message)
  );
}
