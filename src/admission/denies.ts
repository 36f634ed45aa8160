import type { EvaluatedLine } from '../constraints/evaluate.ts';

/** What the registry only warns about never denies; what it does not know denies where the constraint says so. */
export function denies({ action, kind, constraint }: EvaluatedLine): boolean {
  return action === 'deny' && kind !== 'warned' && (kind !== 'unknown' || constraint.options.unknown === 'deny');
}
