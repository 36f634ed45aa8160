/** Orders texts by their bytes in UTF-8, as Go's `<` does; JavaScript's compares UTF-16 units. */
export function compareBytes(left: string, right: string): number {
  if (left === right) return 0;
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

const HTML: Readonly<Record<string, string>> = { '<': '\\u003c', '>': '\\u003e', '&': '\\u0026' };

/** A JSON value as Go's `encoding/json` writes it: keys in order, `<`, `>` and `&` escaped. Without `indent` on one line. */
export function goJson(value: unknown, indent = '', before = ''): string {
  if (typeof value === 'string') return goJsonText(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = before + indent;
  const parts = Array.isArray(value)
    ? value.map((one) => goJson(one, indent, inner))
    : sortedEntries(value).map(([key, one]) => `${goJsonText(key)}:${indent && ' '}${goJson(one, indent, inner)}`);
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  if (parts.length === 0) return `${open}${close}`;
  return indent === ''
    ? `${open}${parts.join(',')}${close}`
    : `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${before}${close}`;
}

function goJsonText(text: string): string {
  return JSON.stringify(text)
    .replaceAll(/[<>&]/g, (character) => HTML[character] ?? character)
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
}

/** The fields of an object in the order of the bytes of their names, without those that are undefined. */
export function sortedEntries(object: object): [string, unknown][] {
  return Object.entries(object)
    .filter(([, value]) => value !== undefined)
    .sort(([left], [right]) => compareBytes(left, right));
}
