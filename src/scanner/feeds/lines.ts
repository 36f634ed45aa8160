import { FeedError } from './errors.ts';

const MAX_LINE = 10_000;

/** Lines of a text stream (LF or CRLF), one by one; a line of more than 10,000 characters is a `FeedError` naming `what`. */
export async function* readLines(source: AsyncIterable<Uint8Array>, what: string): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of source) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE) throw new FeedError('malformed', `${what} has a line of over ${MAX_LINE} characters`);
    for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line;
  }
  if (rest !== '') yield rest;
}
