const MOST_BYTES = 4096;
const FRAME = '299 - ""'.length;

/** Punctuation that people write and headers cannot carry. */
const ASCII: readonly (readonly [pattern: RegExp, text: string])[] = [
  [/[\u2018\u2019]/g, "'"],
  [/[\u201c\u201d]/g, '"'],
  [/[\u2010-\u2015]/g, '-'],
  [/\u2026/g, '...'],
  [/[^\x20-\x7e]+/g, '?'],
];

/**
 * Values for `Warning` headers (distribution-spec, "Warnings"): `299 - "text"`, ASCII only, quotes and backslashes
 * escaped. What exceeds 4096 bytes in all is cut, from the last warning on.
 */
export function warningHeaders(warnings: readonly string[]): string[] {
  const headers: string[] = [];
  let left = MOST_BYTES;
  for (const warning of warnings) {
    const text = quotable(warning, left - FRAME);
    if (text === '') break;
    headers.push(`299 - "${text}"`);
    left -= text.length + FRAME;
  }
  return headers;
}

/** Most of ours: nothing in it is to be written otherwise. */
const PLAIN = /^[!#-[\]-~]+(?: [!#-[\]-~]+)*$/;

/** The text in the form it has between quotes, at most `limit` characters. */
function quotable(text: string, limit: number): string {
  if (text.length <= limit && PLAIN.test(text)) return text;
  let plain = text.replaceAll(/\s+/g, ' ').trim();
  for (const [pattern, replacement] of ASCII) plain = plain.replaceAll(pattern, replacement);
  const escaped = plain.replaceAll(/["\\]/g, '\\$&');
  if (escaped.length <= limit) return escaped;
  const cut = escaped.slice(0, Math.max(0, limit));
  // Never end in the middle of an escape.
  return /(?:^|[^\\])(?:\\\\)*\\$/.test(cut) ? cut.slice(0, -1) : cut;
}
