/** Longer texts are no mistyped names, and would take long to compare. */
const LONGEST_NAME = 64;

/** The name among `known` that is most like a mistyped one; undefined when none is like it. */
export function nearestName(mistyped: string, known: readonly string[]): string | undefined {
  if (mistyped.length > LONGEST_NAME) return undefined;
  const [nearest] = known
    .map((name) => ({ name, distance: distance(mistyped.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, distance: steps }) => steps <= Math.max(2, Math.floor(name.length / 3)))
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
  return nearest?.name;
}

/** Letters to add, leave out or replace (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 0; i < a.length; i += 1) {
    const next = [i + 1];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (b[j - 1] === a[i] ? 0 : 1)));
    row = next;
  }
  return row[b.length] ?? 0;
}
