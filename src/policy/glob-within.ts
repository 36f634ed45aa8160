import { globMachine } from './repository-glob.ts';

/** Pairs of states looked at before the answer is that it cannot be told. */
const MOST_PAIRS = 5000;

/**
 * True only when every path that one glob matches is known to be matched by the other too. Both are read side by side over every
 * character that they tell apart; globs that take too long to compare are not within each other.
 */
export function isGlobWithin(inner: string, outer: string): boolean {
  const [one, other] = [globMachine(inner), globMachine(outer)];
  // All characters that neither glob names are alike.
  const characters = new Set(Array.from(`${inner}${outer}/\0`).filter((character) => character !== '*'));
  const todo = [{ a: one.start, b: other.start }];
  const seen = new Set(todo.map(({ a, b }) => keyOf(a, b)));
  // What is found is added while the list is being walked.
  for (const { a, b } of todo) {
    if (one.accepts(a) && !other.accepts(b)) return false;
    for (const character of characters) {
      const next = { a: one.step(a, character), b: other.step(b, character) };
      if (next.a.size === 0) continue;
      const found = keyOf(next.a, next.b);
      if (seen.has(found)) continue;
      if (seen.size >= MOST_PAIRS) return false;
      seen.add(found);
      todo.push(next);
    }
  }
  return true;
}

function keyOf(a: ReadonlySet<number>, b: ReadonlySet<number>): string {
  return `${textOf(a)} ${textOf(b)}`;
}

function textOf(states: ReadonlySet<number>): string {
  return [...states].sort((x, y) => x - y).join(',');
}
