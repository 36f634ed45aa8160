/** Id of the element of a page that holds the document as JSON. */
const EMBEDDED_ID = 'evidence';

const OPENING = `<script type="application/json" id="${EMBEDDED_ID}">`;
const CLOSING = '</script>';

/** JSON as it can stand in a page: no `<` is left that could end the element, and it reads back as the same value. */
export function embedJson(json: string): string {
  return `${OPENING}${json.replaceAll('<', String.raw`\u003c`)}${CLOSING}`;
}

/** The bytes of the JSON in a page; undefined when there is none. */
export function extractJson(page: Buffer): Buffer | undefined {
  const start = page.indexOf(OPENING);
  if (start < 0) return undefined;
  const from = start + Buffer.byteLength(OPENING);
  const end = page.indexOf(CLOSING, from);
  return end < 0 ? undefined : page.subarray(from, end);
}
