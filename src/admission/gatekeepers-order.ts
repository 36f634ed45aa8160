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
    .map((line) => ({ line, key: [line.enforcementAction, line.message, line.constraint.kind, line.constraint.name] }))
    .sort((a, b) => compareKeys(a.key, b.key))
    .map(({ line }) => line);
  return [...sorted, ...lines.filter(({ constraint }) => !constraint.options.compat)];
}

function compareKeys(a: readonly string[], b: readonly string[]): number {
  for (const [index, left] of a.entries()) {
    const right = b[index] ?? '';
    if (left !== right) return Buffer.compare(Buffer.from(left), Buffer.from(right));
  }
  return 0;
}
