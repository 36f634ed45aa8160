import { goQuote } from '../../constraints/go-quote.ts';
import { isRecord } from '../../platform/json-object.ts';
import { sortedEntries } from '../go-text.ts';

/** `value[_]`: the members of a list or an object; nothing else has any. */
export function members(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return isRecord(value) ? Object.values(value) : [];
}

/**
 * `strings.any_prefix_match` and its sister: each side a text or a list of texts. Undefined for anything else, which Rego
 * takes for "no answer" and `not` for true.
 */
export function anyMatch(
  search: unknown,
  base: unknown,
  test: (text: string, part: string) => boolean,
): boolean | undefined {
  const texts = textsOf(search);
  const parts = textsOf(base);
  if (texts === undefined || parts === undefined) return undefined;
  return texts.some((text) => parts.some((part) => test(text, part)));
}

function textsOf(value: unknown): readonly string[] | undefined {
  if (typeof value === 'string') return [value];
  if (!Array.isArray(value)) return undefined;
  return value.every((one): one is string => typeof one === 'string') ? value : undefined;
}

export const isPrefix = (text: string, part: string): boolean => text.startsWith(part);
export const isSuffix = (text: string, part: string): boolean => text.endsWith(part);

/** `%v` of OPA's sprintf: texts and numbers bare, everything else as a Rego term. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? goNumber(value) : term(value);
}

function term(value: unknown): string {
  if (typeof value === 'string') return goQuote(value);
  if (typeof value === 'number') return goNumber(value);
  if (Array.isArray(value)) return `[${value.map(term).join(', ')}]`;
  if (!isRecord(value)) return String(value);
  return `{${sortedEntries(value)
    .map(([key, one]) => `${goQuote(key)}: ${term(one)}`)
    .join(', ')}}`;
}

/** Go turns to exponents earlier than JavaScript for small numbers and writes them with two digits. */
function goNumber(value: number): string {
  const size = Math.abs(value);
  if (value === 0 || (size >= 1e-4 && size < 1e21)) return String(value);
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
}
