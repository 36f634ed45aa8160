/** A line of a sheet: when, and the keys of the clocks that were started with that. */
type Line = readonly [firstSeen: number, ...keys: string[]];

/** Lines to append to a sheet for clocks that are started, by key. Empty when there are none. */
export function sheetOf(clocks: Iterable<readonly [key: string, firstSeen: number]>): string {
  const byMoment = new Map<number, string[]>();
  for (const [key, firstSeen] of clocks) {
    const keys = byMoment.get(firstSeen);
    if (keys) keys.push(key);
    else byMoment.set(firstSeen, [key]);
  }
  return [...byMoment].map(([firstSeen, keys]) => `${JSON.stringify([firstSeen, ...keys])}\n`).join('');
}

/** The clocks of a sheet by key. Where two wrote at once a clock may be there twice: the earliest counts. */
export function clocksOfSheet(sheet: string): Map<string, number> {
  const clocks = new Map<string, number>();
  for (const line of sheet.split('\n')) {
    if (line === '') continue;
    const [firstSeen, ...keys] = JSON.parse(line) as Line;
    for (const key of keys) {
      const known = clocks.get(key);
      if (known === undefined || firstSeen < known) clocks.set(key, firstSeen);
    }
  }
  return clocks;
}
