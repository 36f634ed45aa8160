const LONGEST_TEXT = 64 * 1024;

/** A foreign JSON text; undefined when it is none. A byte order mark is passed over. */
export function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8').replace(/^\ufeff/, ''));
  } catch {
    return undefined;
  }
}

/** Member of a foreign object; undefined for what is no object. Only own members: `__proto__` is a name like any other. */
export function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

/** A text that is not empty, trimmed, of reasonable length. */
export function textOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > LONGEST_TEXT) return undefined;
  return value.trim().toWellFormed() || undefined;
}

/** A list; empty for everything else. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
