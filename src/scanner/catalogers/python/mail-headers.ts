const HEADER = /^([\x21-\x39\x3b-\x7e]{1,100}):[ \t]*(.*)$/s;
const MOST_HEADERS = 20_000;
const LONGEST_VALUE = 4096;

/**
 * The headers of a core metadata file, read as Python's email parser reads them (RFC 822 as the core metadata
 * specification uses it): names in lower case with their values in order, folded lines joined by a blank; the first line
 * that is no header ends them.
 */
export function readMailHeaders(content: Buffer): ReadonlyMap<string, readonly string[]> {
  const headers = new Map<string, string[]>();
  let last: string[] | undefined;
  let count = 0;
  for (const line of linesOf(content.toString('utf8').replace(/^\ufeff/, ''))) {
    if (line.startsWith(' ') || line.startsWith('\t')) {
      const value = last?.at(-1) ?? '';
      // Descriptions are folded over thousands of lines, and nobody asks for them.
      if (last && value.length < LONGEST_VALUE) last[last.length - 1] = `${value} ${line.trim()}`;
      continue;
    }
    const [, name, value = ''] = HEADER.exec(line) ?? [];
    count += 1;
    if (name === undefined || count > MOST_HEADERS) break;
    const key = name.toLowerCase();
    last = headers.get(key) ?? [];
    last.push(value.trim());
    headers.set(key, last);
  }
  return headers;
}

/** Lines by any of the three line ends, one at a time: what follows the headers is never cut up. */
function* linesOf(text: string): Generator<string> {
  const end = /\r\n|\r|\n/g;
  let from = 0;
  for (let found = end.exec(text); found; found = end.exec(text)) {
    yield text.slice(from, found.index);
    from = end.lastIndex;
  }
  yield text.slice(from);
}
