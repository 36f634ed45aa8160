import type { Reason, Verdict } from '../model/verdict.ts';
import type { Policy } from './policy.ts';
import { compareReasons, worstKind } from './reason-order.ts';
import { matchesGlob } from './repository-glob.ts';

/** How somebody refers to an image: with a digest the tag decides nothing any more. */
export interface Referred {
  readonly tag?: string | undefined;
  readonly digest?: string | undefined;
}

/** What a policy says about the way an image is referred to, whatever is in it; nothing when it does not care. */
export function judgeReference({ disallowedTags, digestRequired }: Policy, { tag, digest }: Referred): Reason[] {
  if (digest !== undefined) return [];
  const name = tag ?? 'latest';
  const glob = disallowedTags.globs.find((pattern) => matchesGlob(pattern, name));
  const reasons: Reason[] = [];
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

/** A verdict on an image as somebody refers to it. */
export function withReference(verdict: Verdict, reasons: readonly Reason[]): Verdict {
  if (reasons.length === 0) return verdict;
  const all = [...verdict.reasons, ...reasons].sort(compareReasons);
  return { ...verdict, kind: worstKind([{ kind: verdict.kind }, ...reasons]), reasons: all };
}

function asReason(rule: Reason['rule'], kind: 'warn' | 'block', message: string): Reason {
  return { rule, kind, severity: 'none', message, source: 'policy' };
}
