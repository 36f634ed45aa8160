import { isStorable } from '../platform/storable-text.ts';

/** Where in a checked value a text stands that not every engine can keep: the path to the first one, undefined when there is none. */
export function unstorableText(value: unknown, path: readonly string[] = []): readonly string[] | undefined {
  if (typeof value === 'string') return isStorable(value) ? undefined : path;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, member] of Object.entries(value)) {
    const found = unstorableText(member, [...path, key]);
    if (found) return found;
  }
  return undefined;
}
