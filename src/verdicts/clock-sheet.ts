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
    const [at, ...rest] = JSON.parse(line) as Line;
    const names = rest[0]?.startsWith('#') ? rest[0].slice(1).split(' ') : undefined;
    const keys = names ? rest.slice(1) : rest;
    if (names && !names.includes(SEEN)) parts.push({ at, names, keys });
    else add(clocks, keys, names ? started({ firstSeen: at }, names, at) : clockOfAll(at));
  }
  // Parts say nothing about when the clock itself was started.
  for (const { at, names, keys } of parts)
    for (const key of keys) clocks.set(key, started(clocks.get(key) ?? { firstSeen: at }, names, at));
  return clocks;
}

function add(clocks: Map<string, Clock>, keys: readonly string[], clock: Clock): void {
  for (const key of keys) clocks.set(key, earlierClock(clocks.get(key), clock) ?? clock);
}

function started(clock: Clock, names: readonly string[], at: number): Clock {
  return names.reduce((running, name) => withMark(running, { name, at }), clock);
}
