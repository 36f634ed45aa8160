import { tryParseReference } from '../../oci/reference.ts';
import { compileRule } from '../kinds/kinds.ts';
import type { ImageRule } from '../kinds/rule.ts';
import { OPTION_ANNOTATIONS } from '../options.ts';
import type { LintSubject } from './subject.ts';

/** How the entries of a constraint are compared: as its annotations say, or as Gatekeeper would. */
export type Comparison = 'reference' | 'prefix' | 'gatekeeper';

/** What the comparison that is linted and what we, by reference, say about images under one constraint. */
export interface TwoReadings {
  readonly by: Comparison;
  /** The guard compares raw text too, so that entries may be written for that alone. */
  readonly isRawHere: boolean;
  /** It is admitted although by reference it is denied, and nodes can run it. Never where the comparison is by reference. */
  readonly isWitness: (image: string) => boolean;
  /** By reference it is admitted, and yet it is denied. */
  readonly isRejected: (image: string) => boolean;
  /** The comparison lets it through. */
  readonly admits: (image: string) => boolean;
}

const RULE_MODES = { reference: 'reference', prefix: 'prefix', gatekeeper: 'compat' } as const;

/** How the guard compares the entries of a constraint. */
function comparisonOf({ annotations }: Pick<LintSubject, 'annotations'>): Comparison {
  if (annotations[OPTION_ANNOTATIONS.compat] === 'gatekeeper') return 'gatekeeper';
  return annotations[OPTION_ANNOTATIONS.matching] === 'prefix' ? 'prefix' : 'reference';
}

/** Reads the parameters twice. Throws `z.ZodError` when one has the wrong shape. */
export function twoReadings(
  subject: Pick<LintSubject, 'kind' | 'parameters' | 'annotations'>,
  as?: 'gatekeeper',
): TwoReadings {
  const { kind, parameters } = subject;
  const here = comparisonOf(subject);
  const by = as ?? here;
  const ours = compileRule(kind, parameters, 'reference');
  const theirs = by === 'reference' ? ours : compileRule(kind, parameters, RULE_MODES[by]);
  return {
    by,
    isRawHere: here !== 'reference',
    isWitness: (image) => admits(theirs, image) && !admits(ours, image),
    isRejected: (image) => !admits(theirs, image) && admits(ours, image),
    admits: (image) => admits(theirs, image),
  };
}

/** Without its list a constraint checks nothing. */
function admits(rule: ImageRule | undefined, image: string): boolean {
  return rule === undefined || rule.breaches(image, tryParseReference(image)).length === 0;
}

/** Where a comparison of raw text takes place, for sentences. */
export function whereOf({ by }: TwoReadings): string {
  return by === 'prefix' ? 'under breakwater/matching: prefix' : 'in Gatekeeper';
}
