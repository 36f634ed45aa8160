/**
 * Where in a checked value a text stands that not every engine can keep: PostgreSQL knows no NUL in text, and half a
 * surrogate pair is no character at all. Gives the path to the first one, undefined when there is none.
 */
export function unstorableText(value: unknown, path: readonly string[] = []): readonly string[] | undefined {
  if (typeof value === 'string') return value.includes('\0') || !value.isWellFormed() ? path : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, member] of Object.entries(value)) {
    const found = unstorableText(member, [...path, key]);
    if (found) return found;
  }
  return undefined;
}
