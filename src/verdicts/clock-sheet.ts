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
  const parts: { readonly at: number; readonly names: readonly string[]; readonly keys: readonly string[] }[] = [];
  for (const line of sheet.split('\n')) {
    if (line === '') continue;
    const [at, ...keys] = JSON.parse(line) as Line;
    const names = keys[0]?.startsWith('#') ? keys.shift() : undefined;
    const known = names === undefined ? undefined : namesIn(names);
    if (known && !known.includes(SEEN)) parts.push({ at, names: known, keys });
    else add(clocks, keys, beginningOf(at, names));
  }
  // Parts say nothing about when the clock itself was started.
  for (const { at, names, keys } of parts)
    for (const key of keys) clocks.set(key, started(clocks.get(key) ?? { firstSeen: at }, names, at));
  return clocks;
}

function add(clocks: Map<string, Clock>, keys: readonly string[], clock: Clock): void {
  for (const key of keys) clocks.set(key, earlierClock(clocks.get(key), clock) ?? clock);
}

function namesIn(names: string): readonly string[] {
  return names.slice(1).split(' ');
}

/** Beginnings that are kept: those of an hour's pushes. */
const KEPT_BEGINNINGS = 1000;
const beginnings = new Map<string, Clock>();

/** What began at once is one clock in all sheets, so that it is compared once with that of a repository. */
function beginningOf(at: number, names: string | undefined): Clock {
  const key = `${at} ${names}`;
  const known = beginnings.get(key);
  if (known) return known;
  const clock = names === undefined ? clockOfAll(at) : started({ firstSeen: at }, namesIn(names), at);
  if (beginnings.size >= KEPT_BEGINNINGS) beginnings.clear();
  beginnings.set(key, clock);
  return clock;
}

function started(clock: Clock, names: readonly string[], at: number): Clock {
  return names.reduce((running, name) => withMark(running, { name, at }), clock);
}
