import { tryParseReference } from '../oci/reference.ts';
import type { Constraint } from './constraint.ts';
import type { ImageFacts } from './image-facts.ts';
import { mirrorHint, untrustedMessage, verdictMessage } from './messages.ts';
import type { WorkloadImage } from './workload.ts';

/** What is wrong with one image of a workload under one constraint. */
export interface ImageLine {
  /** `untrusted` and `blocked` break the constraint; `warned` is only ever told. */
  readonly kind: 'untrusted' | 'blocked' | 'warned';
  /** The bare message: what a denial, a warning and `status.violations` say alike. */
  readonly message: string;
  /** A line of its own after the message: where to get the image instead. */
  readonly hint?: string;
}

/**
 * The one decision about an image, used by webhook and audit alike: first whether it comes from a trusted source, and
 * if so what the registry's verdict says. Undefined when there is nothing to say.
 */
export function judgeImage(facts: ImageFacts, constraint: Constraint, workload: WorkloadImage): ImageLine | undefined {
  if (constraint.repos === undefined) return undefined;
  const reference = tryParseReference(workload.image);
  if (constraint.trusted.match(workload.image, reference) === undefined) {
    const address = reference && facts.mirrors.addressOf(reference);
    return {
      kind: 'untrusted',
      message: untrustedMessage(constraint, workload),
      ...(address === undefined ? {} : { hint: mirrorHint(workload.image, address) }),
    };
  }
  const verdict = reference && facts.verdicts.verdictOf(reference);
  if (verdict === undefined || verdict.kind === 'allow') return undefined;
  return {
    kind: verdict.kind === 'block' ? 'blocked' : 'warned',
    message: verdictMessage(workload, verdict.kind, verdict.sentence),
  };
}
