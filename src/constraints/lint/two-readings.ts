import { tryParseReference } from '../../oci/reference.ts';
import { compileRule } from '../kinds/kinds.ts';
import type { ImageRule } from '../kinds/rule.ts';
import type { LintSubject } from './subject.ts';

/** What Gatekeeper and what we, by reference, say about images under one constraint. */
export interface TwoReadings {
  /** Gatekeeper admits it, we deny it, and nodes can run it. */
  readonly isWitness: (image: string) => boolean;
  /** We admit it, Gatekeeper denies it. */
  readonly isRejected: (image: string) => boolean;
}

/** Throws `z.ZodError` when a parameter has the wrong shape. */
export function twoReadings({ kind, parameters }: Pick<LintSubject, 'kind' | 'parameters'>): TwoReadings {
  const theirs = compileRule(kind, parameters, 'compat');
  const ours = compileRule(kind, parameters, 'reference');
  return {
    isWitness: (image) => admits(theirs, image) && !admits(ours, image),
    isRejected: (image) => !admits(theirs, image) && admits(ours, image),
  };
}

/** Without its list a constraint checks nothing. */
function admits(rule: ImageRule | undefined, image: string): boolean {
  return rule === undefined || rule.breaches(image, tryParseReference(image)).length === 0;
}
