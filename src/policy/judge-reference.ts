import type { LaterVerdict, Reason, Verdict, VerdictKind } from '../model/verdict.ts';
import { toRfc3339 } from '../platform/clock.ts';
import { defined } from '../platform/defined.ts';
import { sentence } from './explain.ts';
import { explanationOfReference, referenceWords } from './explanation.ts';
import { laterSentence, MOST_TOLD } from './later-sentence.ts';
import { contactOf, type Policy } from './policy.ts';
import { compareReasons, worstKind } from './reason-order.ts';
import { matchesGlob } from './repository-glob.ts';

/** How somebody refers to an image: with a digest the tag decides nothing any more. */
export interface Referred {
  readonly tag?: string | undefined;
  readonly digest?: string | undefined;
}

/** What a policy says of references, and whom to ask about that. */
export type ReferencePolicy = Pick<Policy, 'disallowedTags' | 'digestRequired' | 'contact'>;

/** The same with what is to come, in the order of the moments. What an effective policy is, among more. */
export interface ReferencePolicies {
  readonly policy: ReferencePolicy;
  readonly coming?: readonly { readonly policy: ReferencePolicy; readonly from: number }[] | undefined;
  /** Since when the first counts, epoch ms, where that is known. */
  readonly since?: number | undefined;
}

/** What is to be said of a reference at a moment. */
export interface JudgedReference {
  readonly reasons: readonly Reason[];
  /** The policy that counts then. */
  readonly policy: ReferencePolicy;
  /** Since when it does, epoch ms. */
  readonly since?: number | undefined;
}

/** The kind of a verdict and why, in one sentence, as it is told to those who do not have all of it. */
export interface ToldKind {
  readonly kind: VerdictKind;
  readonly sentence: string;
  /** Since when it is of that kind, epoch ms. */
  readonly since?: number;
}

/** True when any of it can ask for something, now or later. */
export function concernsReferences({ policy, coming = [] }: ReferencePolicies): boolean {
  return [policy, ...coming.map((next) => next.policy)].some(
    ({ disallowedTags: { globs, action }, digestRequired }) =>
      digestRequired !== 'ignore' || (action !== 'ignore' && globs.length > 0),
  );
}

/**
 * What policies say about the way an image is referred to, whatever is in it: by the one that counts at a moment, and as a warning
 * what one to come will block.
 */
export function judgeReference(policies: ReferencePolicies, referred: Referred, now: number): JudgedReference {
  const { coming = [] } = policies;
  const step = coming.findLast(({ from }) => from <= now);
  const policy = step?.policy ?? policies.policy;
  const reasons = new Map(reasonsBy(policy, referred).map((line) => [line.rule, line]));
  for (const { policy: next, from } of coming.filter((one) => one.from > now))
    for (const line of reasonsBy(next, referred)) {
      const known = reasons.get(line.rule);
      if (line.kind !== 'block' || known?.kind === 'block' || known?.deadline !== undefined) continue;
      const message = `${line.message}; a policy that counts from ${toRfc3339(from)} on blocks this`;
      reasons.set(line.rule, { ...line, kind: 'warn', deadline: from, message });
    }
  return {
    reasons: [...reasons.values()].sort(compareReasons),
    policy,
    ...defined({ since: step?.from ?? policies.since }),
  };
}

function reasonsBy({ disallowedTags, digestRequired }: ReferencePolicy, { tag, digest }: Referred): Reason[] {
  if (digest !== undefined) return [];
  const name = tag ?? 'latest';
  const reasons: Reason[] = [];
  const glob =
    disallowedTags.action === 'ignore' ? undefined : disallowedTags.globs.find((pattern) => matchesGlob(pattern, name));
  if (glob !== undefined && disallowedTags.action !== 'ignore')
    reasons.push(
      asReason(
        'disallowed-tag',
        disallowedTags.action,
        `the tag ${name} is not allowed here (${glob}); use another tag, or the digest`,
      ),
    );
  if (digestRequired !== 'ignore')
    reasons.push(
      asReason('digest-required', digestRequired, `the tag ${name} may move; refer to the image by its digest`),
    );
  return reasons;
}

/** A verdict on an image, as it is at a moment for somebody who refers to the image like that. */
export function withReference(verdict: Verdict, policies: ReferencePolicies, referred: Referred, now: number): Verdict {
  if (referred.digest !== undefined || !concernsReferences(policies)) return verdict;
  const { reasons, policy } = judgeReference(policies, referred, now);
  const { becomes: _, changesAt: __, contact, ...rest } = verdict;
  const kind = worstKind([{ kind: verdict.kind }, ...reasons]);
  const steps = stepsWith(verdict, policies, referred, now);
  const moments = [verdict.changesAt, nextChange(policies, referred, now)].filter((moment) => moment !== undefined);
  return {
    ...rest,
    kind,
    reasons: [...verdict.reasons, ...reasons].sort(compareReasons),
    // The image's own line, where there is one, was written with its own.
    ...(kind === verdict.kind ? defined({ contact }) : contactOf(policy, kind)),
    ...(moments.length === 0 ? {} : { changesAt: Math.min(...moments) }),
    ...(steps.length === 0 ? {} : { becomes: steps }),
  };
}

/** The same of what was told of a verdict: in the words that the whole verdict would be told in. */
export function toldWithReference<Told extends ToldKind>(
  told: Told,
  { reasons, policy, since }: JudgedReference,
): Told | ToldKind {
  const kind = worstKind([{ kind: told.kind }, ...reasons]);
  const counting = reasons.filter((reason) => reason.kind === kind);
  if (kind === 'allow' || counting.length === 0) return told;
  if (kind === told.kind) return { ...told, sentence: `${referenceWords(counting)}; ${told.sentence}` };
  const explained = explanationOfReference({ kind, judgedAt: 0, ...contactOf(policy, kind) }, counting);
  return { kind, sentence: sentence(explained), ...defined({ since }) };
}

/** What becomes of it by time alone: steps of the verdict, and policies to come. */
function stepsWith(
  verdict: Verdict,
  policies: ReferencePolicies,
  referred: Referred,
  now: number,
): readonly LaterVerdict[] {
  const { becomes = [] } = verdict;
  const moments = [...becomes.map(({ at }) => at), ...(policies.coming ?? []).map(({ from }) => from)];
  if (moments.length === 0) return [];
  const first = { kind: verdict.kind, sentence: laterSentence(verdict) };
  const toldAt = (moment: number): ToldKind =>
    toldWithReference(becomes.findLast(({ at }) => at <= moment) ?? first, judgeReference(policies, referred, moment));
  let { kind } = toldAt(now);
  const steps: LaterVerdict[] = [];
  for (const at of moments.filter((moment) => moment > now).sort((a, b) => a - b)) {
    const then = toldAt(at);
    if (then.kind === kind) continue;
    steps.push({ at, kind: then.kind, sentence: then.sentence });
    if (steps.length === MOST_TOLD) break;
    kind = then.kind;
  }
  return steps;
}

/** The first moment after `now` at which something else is said of a reference. */
function nextChange(policies: ReferencePolicies, referred: Referred, now: number): number | undefined {
  const said = (moment: number): string => JSON.stringify(judgeReference(policies, referred, moment).reasons);
  const before = said(now);
  return policies.coming?.find(({ from }) => from > now && said(from) !== before)?.from;
}

function asReason(rule: Reason['rule'], kind: 'warn' | 'block', message: string): Reason {
  return { rule, kind, severity: 'none', message, source: 'policy' };
}
