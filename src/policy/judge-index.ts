import type { Counts, Reason, Verdict, VerdictKind } from '../model/verdict.ts';
import { canonicalHash, compareText } from '../oci/canonical.ts';
import type { Digest } from '../oci/digest.ts';
import { toRfc3339 } from '../platform/clock.ts';
import { countFindings } from './counts.ts';
import { explain } from './explain.ts';
import { indexOutlook } from './index-outlook.ts';
import { contactOf, type Policy } from './policy.ts';
import type { ComingPolicy } from './policy-timeline.ts';
import { compareReasons, milder, worstKind } from './reason-order.ts';

/** One entry of an index as far as it is known here. */
export interface IndexChild {
  readonly digest: Digest;
  /** `linux/arm64/v8`; absent when the index does not say. */
  readonly platform?: string;
  /** `absent` = not stored here; `other` = nothing that runs: an attestation, a signature. */
  readonly state: 'runnable' | 'other' | 'absent';
  /** Its own verdict; absent until it is judged. */
  readonly verdict?: Verdict;
}

export interface JudgeIndexInput {
  readonly subject: Digest;
  readonly children: readonly IndexChild[];
  readonly policy: Policy;
  /** Policies that are to count later, in the order of their moments. */
  readonly coming?: readonly ComingPolicy[];
  readonly policyVersion: number;
  /** Version of the advisory database in use; empty when there is none. */
  readonly advisories: string;
  /** Epoch ms. */
  readonly now: number;
}

/**
 * The decision about a multi-platform index from its children's verdicts: `block` only when every runnable child is blocked
 * (policy `strictIndex`: when any is), since a client takes one of them and is stopped there. Its findings are those of the
 * children, each once. Counts are those of the worst child.
 */
export function judgeIndex(input: JudgeIndexInput): Verdict {
  const { now, coming = [] } = input;
  const runnable = input.children.filter((child) => child.state === 'runnable');
  const policy = coming.findLast(({ from }) => from <= now)?.policy ?? input.policy;
  const present = indexKind(runnable, policy.strictIndex);
  // Blocked by a policy to come, for what its children are now.
  const ahead = present === 'block' ? [] : coming.filter(({ from }) => from > now);
  const stopping = ahead.find(({ policy: next }) => indexKind(runnable, next.strictIndex) === 'block');
  const kind = stopping ? 'warn' : present;
  const reasons = [
    ...input.children.map((child) => childReason(child, kind)).filter((reason) => reason !== undefined),
    ...(runnable.length === 0 ? [nothingRuns(input.children)] : []),
    ...(stopping ? [blockedFrom(stopping.from)] : []),
    ...childrensReasons(runnable, kind),
  ].sort(compareReasons);
  const verdicts = runnable.map((child) => child.verdict).filter((verdict) => verdict !== undefined);
  const switches = coming.filter(
    ({ from, policy: next }) => from > now && indexKind(runnable, next.strictIndex) !== present,
  );
  const changes = [...verdicts.map((verdict) => verdict.changesAt), ...switches.map(({ from }) => from)].filter(
    (moment) => moment !== undefined,
  );
  const verdict: Verdict = {
    kind,
    subject: input.subject,
    reasons,
    counts: worstCounts(verdicts),
    inputs: {
      inventory: hashOver(input.children, (verdict) => verdict.inputs.inventory),
      advisories: input.advisories,
      policy: input.policyVersion,
      exceptions: hashOver(input.children, (verdict) => verdict.inputs.exceptions),
      vex: hashOver(input.children, (verdict) => verdict.inputs.vex),
      clocks: hashOver(input.children, (verdict) => verdict.inputs.clocks),
      ...(verdicts.some(({ inputs }) => inputs.quarantine !== undefined)
        ? { quarantine: hashOver(input.children, (verdict) => verdict.inputs.quarantine ?? '') }
        : {}),
    },
    ...contactOf(policy, kind),
    judgedAt: now,
    ...(changes.length > 0 ? { changesAt: Math.min(...changes) } : {}),
  };
  return indexOutlook(verdict, runnable, (then) => indexKind(then, policy.strictIndex));
}

function indexKind(runnable: readonly IndexChild[], strict: boolean): VerdictKind {
  const kinds = runnable.map((child) => ({ kind: child.verdict?.kind ?? ('warn' as const) }));
  const blocked = kinds.filter(({ kind }) => kind === 'block').length;
  if (blocked > 0 && (strict || blocked === kinds.length)) return 'block';
  return milder(worstKind(kinds), 'warn');
}

function childReason(child: IndexChild, kind: VerdictKind): Reason | undefined {
  if (child.state === 'other') return undefined;
  const name = child.platform ?? child.digest;
  const reason = { severity: 'none', source: 'index' } as const;
  if (child.state === 'absent')
    return { ...reason, rule: 'platform', kind: 'allow', message: `${name}: not stored here, judged when it is` };
  if (!child.verdict)
    return { ...reason, rule: 'unscanned', kind: milder('warn', kind), message: `${name}: not judged yet` };
  // Whom to ask is said once, of the whole.
  const { contact: _, ...own } = child.verdict;
  const message = `${name}: ${explain(own)}`;
  return { ...reason, rule: 'platform', kind: milder(child.verdict.kind, kind), message };
}

function blockedFrom(from: number): Reason {
  const message = `blocked from ${toRfc3339(from)} on, when a policy counts by which one blocked platform blocks the whole`;
  return { rule: 'platform', kind: 'warn', severity: 'none', deadline: from, message, source: 'index' };
}

function nothingRuns(children: readonly IndexChild[]): Reason {
  const message = children.some((child) => child.state === 'absent')
    ? 'no platform of this index is stored here yet'
    : 'this index lists nothing that runs, so there was nothing to judge';
  return { rule: 'not-runnable', kind: 'allow', severity: 'none', message, source: 'index' };
}

/** Each line of the children once, at its worst, and never asking for more than the index itself comes to. */
function childrensReasons(runnable: readonly IndexChild[], kind: VerdictKind): Reason[] {
  const worst = new Map<string, Reason>();
  // An index may list one image a thousand times.
  for (const child of new Map(runnable.map((entry) => [entry.digest, entry])).values()) {
    for (const own of child.verdict?.reasons ?? []) {
      const reason = { ...own, kind: milder(own.kind, kind) };
      const { rule, vulnerability, package: name, installed } = reason;
      const key = JSON.stringify([rule, vulnerability ?? reason.message, name, installed]);
      const known = worst.get(key);
      if (!known || compareReasons(reason, known) < 0) worst.set(key, reason);
    }
  }
  return [...worst.values()];
}

function worstCounts(verdicts: readonly Verdict[]): Counts {
  const [worst] = [...verdicts].sort(
    (a, b) => rankOf(b) - rankOf(a) || b.counts.total - a.counts.total || compareText(a.subject, b.subject),
  );
  return worst?.counts ?? countFindings([]);
}

function rankOf(verdict: Verdict): number {
  return ['allow', 'warn', 'block'].indexOf(verdict.kind);
}

function hashOver(children: readonly IndexChild[], part: (verdict: Verdict) => string): string {
  const parts = children.map(({ digest, state, verdict }) => `${digest} ${state} ${verdict ? part(verdict) : ''}`);
  return canonicalHash([...new Set(parts)].sort());
}
