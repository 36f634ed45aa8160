import type { EvaluatedLine } from '../constraints/evaluate.ts';

/**
 * Puts the lines of constraints that must be exactly Gatekeeper's into its order: by the action as it is written (`deny`,
 * `dryrun`, `scoped`, `warn`), then by the bytes of the message, then by kind and name of the constraint. Others stay
 * behind them in the order they have.
 */
export function inGatekeepersOrder(lines: readonly EvaluatedLine[]): readonly EvaluatedLine[] {
  const exact = lines.filter(({ constraint }) => constraint.options.compat);
  if (exact.length < 2) return lines;
  const sorted = exact
    .map((line) => ({ line, key: keyOf(line) }))
    .sort((a, b) => compareKeys(a.key, b.key))
    .map(({ line }) => line);
  return [...sorted, ...lines.filter(({ constraint }) => !constraint.options.compat)];
}

interface Key {
  readonly texts: readonly string[];
  /** Code units and bytes may have different orders from the surrogates on. */
  readonly high: boolean;
}

function keyOf({ enforcementAction, message, constraint }: EvaluatedLine): Key {
  const texts = [enforcementAction, message, constraint.kind, constraint.name];
  return { texts, high: texts.some((text) => /[\ud800-\uffff]/.test(text)) };
}

function compareKeys(a: Key, b: Key): number {
  for (const [index, left] of a.texts.entries()) {
    const right = b.texts[index] ?? '';
    if (left === right) continue;
    if (a.high || b.high) return Buffer.compare(Buffer.from(left), Buffer.from(right));
    return left < right ? -1 : 1;
  }
  return 0;
}
