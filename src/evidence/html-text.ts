/** Policy of pages that stand alone: nothing is loaded and nothing runs, embedded JSON is data. */
export const CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** Line breaks and tabs are kept as references, so that a row of a table stays one line of the page. */
const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '\n': '&#10;',
  '\t': '&#9;',
};

/** HTML that was built here, apart from text that must be escaped first. */
export interface Html {
  readonly html: string;
}
export type Part = Html | string | number | undefined;

/**
 * Text for element content and quoted attributes. Control characters and direction marks, with which a line can be made to
 * look like another one, are shown as their code.
 */
export function escapeText(text: string): string {
  return text
    .replaceAll(/[&<>"'\n\t]/g, (char) => ENTITIES[char] ?? char)
    .replaceAll(
      /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu,
      (char) => `\\u{${char.codePointAt(0)?.toString(16) ?? ''}}`,
    );
}

/** A template in which everything is escaped that is not `Html` already; lists are joined. */
export function html(texts: TemplateStringsArray, ...parts: readonly (Part | readonly Part[])[]): Html {
  return { html: texts.map((text, index) => (index === 0 ? text : `${toHtml(parts[index - 1])}${text}`)).join('') };
}

/** Joins pieces with line breaks: one row of a table is one line of the page. */
export function lines(pieces: readonly Html[]): Html {
  return { html: pieces.map((piece) => piece.html).join('\n') };
}

function toHtml(part: Part | readonly Part[]): string {
  if (part === undefined) return '';
  if (typeof part === 'string' || typeof part === 'number') return escapeText(String(part));
  return isList(part) ? part.map(toHtml).join('') : part.html;
}

function isList(part: Html | readonly Part[]): part is readonly Part[] {
  return Array.isArray(part);
}
