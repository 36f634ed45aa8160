import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import { breathe } from '../platform/breathe.ts';
import {
  behind,
  IN_REPOSITORY,
  OF_FINDINGS,
  OF_ROWS,
  orderBy,
  orderOf,
  type SortValue,
  sortBy,
  value,
} from './order.ts';
import { allOf, type Condition, type Conditions, JOINED } from './query.ts';
import type { RowKey } from './rows.ts';

/** Which rows are wanted, and how many. */
interface Wanted {
  readonly conditions: Conditions;
  readonly limit: number;
  /** Where the page before ended. */
  readonly after: readonly SortValue[] | undefined;
}

/** Entries of an index read at once: few where most are wanted, more and more where few are. */
const FIRST = 8;
const MOST = 4096;
const FIRST_ROWS = 256;
const MOST_ROWS = 32_768;

/** Reads findings in their order, and of each the repositories. */
export async function walkFindings(
  db: Db,
  { conditions, limit, after }: Wanted,
  sort: keyof typeof OF_FINDINGS,
): Promise<readonly RowKey[]> {
  const order = OF_FINDINGS[sort];
  const whole = orderOf(sort);
  const columns = sql.join(order.columns.map((column) => sql.ref(column)));
  const known = conditions.names?.findings;
  const among = known ?? { from: sql`findings f`, where: conditions.names?.holds ?? allOf([]) };
  const found: RowKey[] = [];
  // The finding at which the page before ended may go on.
  let from: { readonly place: readonly SortValue[]; readonly inclusive: boolean } | undefined = after && {
    place: after.slice(0, -1),
    inclusive: true,
  };
  for (let size = FIRST; ; size = Math.min(size * 2, MOST)) {
    const start = from ? [behind(order, from.place, from.inclusive)] : [];
    const { rows: part } = await sql<Record<string, SortValue>>`select ${columns} from ${among.from}
      where ${allOf([among.where, ...start, ...conditions.likeness])}
      order by ${known ? sortBy(order) : orderBy(order)} limit ${size}`.execute(db);
    const ids = part.map(({ id = 0 }) => id);
    if (ids.length > 0) {
      const where = [sql`f.id in (${sql.join(ids)})`, JOINED, ...ofRow(conditions)];
      // Later parts begin behind it.
      if (after && from?.inclusive) where.push(behind(whole, after));
      const { rows } =
        await sql<RowKey>`select g.finding_id, g.repository from findings f cross join repository_findings g
        where ${allOf(where)} order by ${sortBy(whole)} limit ${limit - found.length}`.execute(db);
      found.push(...rows);
    }
    const last = part.at(-1);
    if (found.length >= limit || part.length < size || !last) return found;
    from = { place: order.columns.map((column) => last[column.slice(2)] ?? 0), inclusive: false };
    await breathe();
  }
}

/** Reads rows by when they were first seen. */
export async function walkRows(db: Db, { conditions, limit, after }: Wanted): Promise<readonly RowKey[]> {
  const found: RowKey[] = [];
  const { names } = conditions;
  let from = after;
  for (let size = FIRST_ROWS; ; size = Math.min(size * 2, MOST_ROWS)) {
    const slice = sql`select first_seen, finding_id, repository, statuses, traits from repository_findings g
      where ${allOf(from ? [behind(OF_ROWS, from)] : [])} order by ${orderBy(OF_ROWS)}`;
    const named = names === undefined ? sql`` : sql`cross join findings f`;
    const where = [...ofRow(conditions), ...(names === undefined ? [] : [JOINED, names.holds])];
    const { rows } = await sql<RowKey>`select g.finding_id, g.repository from (${slice} limit ${size}) g ${named}
      where ${allOf(where)} order by ${orderBy(OF_ROWS)} limit ${limit - found.length}`.execute(db);
    found.push(...rows);
    if (found.length >= limit) return found;
    const end = await sql<{ first_seen: number } & RowKey>`${slice} limit 1 offset ${size - 1}`.execute(db);
    const [last] = end.rows;
    if (!last) return found;
    from = [last.first_seen, last.finding_id, last.repository];
    await breathe();
  }
}

/** Reads repositories by name, and of each the findings, the worst first. */
export async function walkRepositories(db: Db, { conditions, limit, after }: Wanted): Promise<readonly RowKey[]> {
  const found: RowKey[] = [];
  const [name, ...rest] = after ?? [];
  let from: { readonly name: SortValue; readonly inclusive: boolean } | undefined =
    name === undefined ? undefined : { name, inclusive: true };
  for (let size = 1; ; size = Math.min(size * 2, MOST)) {
    const start = from ? [from.inclusive ? sql`p.name >= ${from.name}` : sql`p.name > ${from.name}`] : [];
    const { rows: part } = await sql<{
      number: number;
      name: string;
    }>`select p.number, p.name from finding_repositories p
      where ${allOf([...start, ...conditions.repositories])} order by p.name limit ${size}`.execute(db);
    if (part.length > 0) {
      const numbers = part.map(({ number }) => number);
      const where = [
        sql`r.number in (${sql.join(numbers)})`,
        sql`g.repository = r.number`,
        JOINED,
        ...[conditions.traits, conditions.names].flatMap((side) => side?.holds ?? []),
        ...(name === undefined || !from?.inclusive
          ? []
          : [sql`(r.name > ${name} or (r.name = ${name} and ${behind(IN_REPOSITORY, rest)}))`]),
      ];
      const { rows } = await sql<RowKey>`select g.finding_id, g.repository
        from finding_repositories r cross join repository_findings g cross join findings f
        where ${allOf(where)} order by ${value('r.name')}, ${sortBy(IN_REPOSITORY)} limit ${limit - found.length}`.execute(
        db,
      );
      found.push(...rows);
    }
    const last = part.at(-1);
    if (found.length >= limit || part.length < size || !last) return found;
    from = { name: last.name, inclusive: false };
    await breathe();
  }
}

/** What is asked of the row itself. */
function ofRow({ traits, place }: Conditions): readonly Condition[] {
  return [traits, place].flatMap((side) => side?.holds ?? []);
}
