import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { SortValue } from './order.ts';
import { allOf, type Condition } from './query.ts';
import { rankOf } from './traits.ts';

/** Parts of what is wanted that a page may lie in. */
export interface Parts {
  readonly numbers: readonly number[];
  /** The last name among them, where they have names. */
  readonly last?: string;
  /** Rows in them. */
  readonly rows: number;
}

const NAMES_AT_ONCE = 32;

/**
 * Repositories or packages that follow each other by name, from that name on: first the one in which the page before ended, of which
 * nobody knows how much is left, then as many as hold a whole page. `wanted`: rows by number.
 */
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
): Promise<readonly Parts[]> {
  const page = createParts(limit);
  let start = from === undefined ? [] : [sql`p.name >= ${from}`];
  for (let size = NAMES_AT_ONCE; ; size *= 2) {
    const { rows } = await sql<{ number: number; name: string }>`select p.number, p.name from ${sql.table(table)} p
      where ${allOf([...start, ...conditions])} order by p.name limit ${size}`.execute(db);
    for (const { number, name } of rows) {
      page.add(number, wanted.get(number) ?? 0, name === from, name);
      if (page.isFull()) return page.parts();
    }
    const last = rows.at(-1);
    if (rows.length < size || !last) return page.parts();
    start = [sql`p.name > ${last.name}`];
  }
}

/** The same of severities, the worst first, as traits. `wanted`: rows by traits. */
export function partsBySeverity(
  wanted: ReadonlyMap<number, number>,
  limit: number,
  from: SortValue | undefined,
): readonly Parts[] {
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
  const begun: Part[] = [];
  const next: Part[] = [];
  return {
    add(number: number, rows: number, isBegun: boolean, name?: string) {
      if (rows > 0) (isBegun ? begun : next).push({ number, rows, name });
    },
    isFull: () => rowsIn(next) >= limit,
    parts: (): readonly Parts[] => [begun, next].flatMap((own) => (own.length === 0 ? [] : together(own))),
  };
}

interface Part {
  readonly number: number;
  readonly rows: number;
  readonly name: string | undefined;
}

function together(parts: readonly Part[]): Parts {
  const last = parts.at(-1)?.name;
  return {
    numbers: parts.map(({ number }) => number),
    rows: rowsIn(parts),
    ...(last === undefined ? {} : { last }),
  };
}

function rowsIn(parts: readonly Part[]): number {
  return parts.reduce((sum, { rows }) => sum + rows, 0);
}
