import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { SortValue } from './order.ts';
import { allOf, type Condition } from './query.ts';
import { rankOf } from './traits.ts';

/** The parts of what is wanted that a page lies in: those before it and those behind it need not be looked at. */
export interface Parts {
  readonly numbers: readonly number[];
  /** The last name among them, where they have names. */
  readonly last?: string;
  /** Rows in them. */
  readonly rows: number;
}

const NAMES_AT_ONCE = 32;

/** Repositories or packages that follow each other by name, from that name on. `wanted`: rows by number. */
export async function partsByName(
  db: Db,
  table: 'finding_repositories' | 'finding_packages',
  {
    wanted,
    limit,
    from,
    conditions,
  }: {
    readonly wanted: ReadonlyMap<number, number>;
    readonly limit: number;
    readonly from: SortValue | undefined;
    /** What is known of their row `p`. */
    readonly conditions: readonly Condition[];
  },
): Promise<Parts> {
  const page = createParts(limit);
  let start = from === undefined ? [] : [sql`p.name >= ${from}`];
  for (let size = NAMES_AT_ONCE; ; size *= 2) {
    const { rows } = await sql<{ number: number; name: string }>`select p.number, p.name from ${sql.table(table)} p
      where ${allOf([...start, ...conditions])} order by p.name limit ${size}`.execute(db);
    for (const { number, name } of rows) {
      // How much of the one at which the page before ended lies behind it is not known.
      page.add(number, wanted.get(number) ?? 0, name === from, name);
      if (page.isFull()) return page.parts();
    }
    const last = rows.at(-1);
    if (rows.length < size || !last) return page.parts();
    start = [sql`p.name > ${last.name}`];
  }
}

/** Traits of severities, the worst first, from that rank on. `wanted`: rows by traits. */
export function partsBySeverity(
  wanted: ReadonlyMap<number, number>,
  limit: number,
  from: SortValue | undefined,
): Parts {
  const page = createParts(limit);
  const byRank = Map.groupBy(wanted, ([traits]) => rankOf(traits));
  for (const [rank, own] of [...byRank].sort(([a], [b]) => b - a)) {
    if (from !== undefined && rank > Number(from)) continue;
    for (const [traits, rows] of own) page.add(traits, rows, rank === from);
    if (page.isFull()) break;
  }
  return page.parts();
}

function createParts(limit: number) {
  const numbers: number[] = [];
  let last: string | undefined;
  let [rows, certain] = [0, 0];
  return {
    add(number: number, more: number, begun: boolean, name?: string) {
      if (more === 0) return;
      numbers.push(number);
      last = name;
      rows += more;
      if (!begun) certain += more;
    },
    isFull: () => certain >= limit,
    parts: (): Parts => ({ numbers, rows, ...(last === undefined ? {} : { last }) }),
  };
}
