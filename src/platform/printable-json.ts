/** Control characters, half characters and everything by which text changes direction or hides itself. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * JSON of a plain value, indented by two, in which no text of others can act upon a terminal or hide from a reader: such
 * characters are written as `\uXXXX`. Half characters, which are no Unicode text, become U+FFFD.
 */
export function printableJson(value: unknown): string {
  // Line ends are the only control characters JSON has outside of texts.
  return JSON.stringify(value, wellFormed, 2)
    .split('\n')
    .map((line) => line.replace(UNPRINTABLE, escaped))
    .join('\n');
}

function wellFormed(_key: string, value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  return value;
}

function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, at) => `\\u${hex(character.charCodeAt(at))}`).join('');
}

function hex(unit: number): string {
  return unit.toString(16).padStart(4, '0');
}
