import { type Clock, clockOfAll, earlierClock } from '../policy/clocks.ts';
import { type Mark, SEEN, withMark } from './clock-marks.ts';

/**
 * A line of a sheet: when, what of the clocks was started then (`#seen fix high`), and their keys. Older lines do not say what:
 * all of it.
 */
type Line = readonly [at: number, ...keys: string[]];

/** Lines to append to a sheet for what is started, by key. Empty when there is nothing. */
export function sheetOf(started: Iterable<readonly [key: string, marks: readonly Mark[]]>): string {
  const lines = new Map<string, { readonly at: number; readonly names: string; readonly keys: string[] }>();
  for (const [key, marks] of started)
    for (const [at, own] of Map.groupBy(marks, (mark) => mark.at)) {
      const names = `#${own.map(({ name }) => name).join(' ')}`;
      const known = lines.get(`${at} ${names}`);
      if (known) known.keys.push(key);
      else lines.set(`${at} ${names}`, { at, names, keys: [key] });
    }
  return [...lines.values()].map(({ at, names, keys }) => `${JSON.stringify([at, names, ...keys])}\n`).join('');
}

/** The clocks of a sheet by key. Where two wrote at once a clock may be there twice: the earliest counts. */
export function clocksOfSheet(sheet: string): Map<string, Clock> {
  const clocks = new Map<string, Clock>();
  const parts: { readonly line: Line; readonly names: readonly string[] }[] = [];
  for (const text of sheet.split('\n')) {
    if (text === '') continue;
    const line = JSON.parse(text) as Line;
    const names = namesOf(line);
    if (names && !names.includes(SEEN)) parts.push({ line, names });
    else addAll(clocks, line, names ? 2 : 1);
  }
  // Parts say nothing about when the clock itself was started.
  for (const { line, names } of parts) {
    const [at, , ...keys] = line;
    for (const key of keys) clocks.set(key, started(clocks.get(key) ?? { firstSeen: at }, names, at));
  }
  return clocks;
}

/** What was started, where a line says so. */
function namesOf([, names]: Line): readonly string[] | undefined {
  return names?.startsWith('#') ? names.slice(1).split(' ') : undefined;
}

/** Adds what a line began for each of its keys: there may be thousands in a sheet. */
function addAll(clocks: Map<string, Clock>, line: Line, firstKey: number): void {
  const clock = beginningOf(line[0], firstKey === 1 ? undefined : line[1]);
  for (let at = firstKey; at < line.length; at += 1) {
    const key = line[at] as string;
    const known = clocks.get(key);
    clocks.set(key, known === undefined ? clock : (earlierClock(known, clock) ?? clock));
  }
}

/** Beginnings that are kept: those of an hour's pushes. */
const KEPT_BEGINNINGS = 1000;
const beginnings = new Map<string, Clock>();

/** What began at once is one clock in all sheets, so that it is compared once with that of a repository. */
function beginningOf(at: number, names: string | undefined): Clock {
  const key = `${at} ${names}`;
  const known = beginnings.get(key);
  if (known) return known;
  const clock = names === undefined ? clockOfAll(at) : started({ firstSeen: at }, namesOf([at, names]) ?? [], at);
  if (beginnings.size >= KEPT_BEGINNINGS) beginnings.clear();
  beginnings.set(key, clock);
  return clock;
}

function started(clock: Clock, names: readonly string[], at: number): Clock {
  return names.reduce((running, name) => withMark(running, { name, at }), clock);
}
