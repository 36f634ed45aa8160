import type { Reference } from '../oci/reference.ts';
import type { Constraint } from './constraint.ts';
import type { ImageFacts, ImageVerdict } from './image-facts.ts';
import { mirrorHint, verdictMessage, type Words } from './messages.ts';
import type { WorkloadImage } from './workload.ts';

/** What is wrong with one image of a workload under one constraint. */
export interface ImageLine {
  /** `untrusted` breaks the rule; `blocked` is refused by the registry; `unknown` cannot be judged; `warned` is only ever told. */
  readonly kind: 'untrusted' | 'blocked' | 'unknown' | 'warned';
  /** The bare message: what a denial, a warning and `status.violations` say alike. */
  readonly message: string;
  /** A line of its own after the message: where to get the image instead. */
  readonly hint?: string;
  /** Since when the verdict says so, epoch ms, where that is known; a rule's own moment is its constraint's. */
  readonly since?: number;
  /** It is under quarantine: no action, grace or break-glass of the cluster makes less of it. */
  readonly quarantined?: true;
}

const NOTHING: readonly ImageLine[] = [];

/**
 * The one decision about an image, used by webhook and audit alike: first what the constraint's rule says, and for a
 * constraint that trusts by it what the registry's verdict says. A quarantine is told whatever the rule says. Empty when there is nothing to say. `reference` is the
 * image parsed, undefined when it cannot be. `words` may be others than the constraint's.
 */
export function judgeImage(
  facts: ImageFacts,
  constraint: Constraint,
  workload: WorkloadImage,
  reference: Reference | undefined,
  words: Words = constraint.words,
): readonly ImageLine[] {
  const { rule, options } = constraint;
  if (rule === undefined) return NOTHING;
  const verdict = constraint.trusts && reference ? facts.verdicts.verdictOf(reference) : undefined;
  const breaches = breachesOf(facts, constraint, words, workload, reference);
  if (verdict?.quarantined) return [verdictLine(workload, { ...verdict, kind: 'block' }), ...breaches];
  if (breaches.length > 0) return breaches;
  if (options.compat || verdict === undefined || verdict.kind === 'allow') return NOTHING;
  if (verdict.kind === 'unknown' && options.unknown === 'ignore') return NOTHING;
  return [verdictLine(workload, { ...verdict, kind: verdict.kind })];
}

function breachesOf(
  facts: ImageFacts,
  { rule, options, trusts }: Constraint,
  words: Words,
  workload: WorkloadImage,
  reference: Reference | undefined,
): readonly ImageLine[] {
  const breaches = rule?.breaches(workload.image, reference) ?? [];
  if (breaches.length === 0) return NOTHING;
  const address = trusts && !options.compat && reference && facts.mirrors.addressOf(reference);
  return breaches.map((breach) => ({
    kind: 'untrusted' as const,
    message: words.breach(breach, workload),
    ...(address ? { hint: mirrorHint(workload.image, address) } : {}),
  }));
}

function verdictLine(
  workload: WorkloadImage,
  { kind, sentence, since, quarantined }: ImageVerdict & { readonly kind: keyof typeof LINE_KINDS },
): ImageLine {
  return {
    kind: LINE_KINDS[kind],
    message: verdictMessage(workload, kind, sentence),
    ...(since === undefined ? {} : { since }),
    ...(quarantined ? { quarantined } : {}),
  };
}

const LINE_KINDS = { block: 'blocked', warn: 'warned', unknown: 'unknown' } as const;
