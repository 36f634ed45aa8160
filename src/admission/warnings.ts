/**
 * The API server cuts every warning to 256 characters once all of a request together pass 4,096, and other webhooks
 * add theirs; staying below keeps every sentence whole.
 */
const LARGEST_TOTAL = 3500;
const LONGEST_WARNING = 1200;
const REST_ROOM = 40;

/** Bounds a list of warnings that come worst first: what does not fit is counted in a last one. */
export function boundWarnings(lines: readonly string[]): string[] {
  const kept: string[] = [];
  let total = 0;
  for (const [index, line] of lines.entries()) {
    const text = cut(line);
    if (total + text.length > LARGEST_TOTAL - REST_ROOM) return [...kept, `and ${lines.length - index} more`];
    kept.push(text);
    total += text.length;
  }
  return kept;
}

function cut(line: string): string {
  return line.length > LONGEST_WARNING ? `${line.slice(0, LONGEST_WARNING - 3)}...` : line;
}
