import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import { breathe } from '../platform/breathe.ts';
import { behind, OF_FINDINGS, OF_ROWS, orderBy, orderOf, type SortValue, sortBy } from './order.ts';
import { allOf, type Condition, JOINED } from './query.ts';
import type { RowKey } from './rows.ts';

/** Which rows are wanted, and how many. */
interface Wanted {
  /** What is asked of a row `g`. */
  readonly row: readonly Condition[];
  readonly limit: number;
  /** Where the page before ended. */
  readonly after: readonly SortValue[] | undefined;
  /** Entries of the index after which it is given up. */
  readonly most: number;
}

/** Entries of an index read at once: few where most are wanted, more and more where few are. */
const FIRST = 8;
const MOST = 4096;
const FIRST_ROWS = 256;
const MOST_ROWS = 32_768;

/** Reads findings in their order, and of each the repositories. `finding`: what is asked of `f`. Undefined when it is given up. */
export async function walkFindings(
  db: Db,
  { row, finding, limit, after, most }: Wanted & { readonly finding: readonly Condition[] },
  sort: keyof typeof OF_FINDINGS,
): Promise<readonly RowKey[] | undefined> {
  const order = OF_FINDINGS[sort];
  const whole = orderOf(sort);
  const columns = sql.join(order.columns.map((column) => sql.ref(column)));
  const found: RowKey[] = [];
  // The finding at which the page before ended may go on.
  let from: { readonly place: readonly SortValue[]; readonly inclusive: boolean } | undefined = after && {
    place: after.slice(0, -1),
    inclusive: true,
  };
  for (let [size, looked] = [FIRST, 0]; looked <= most; looked += size, size = Math.min(size * 2, MOST)) {
    const start = from ? [behind(order, from.place, from.inclusive)] : [];
    const { rows: part } = await sql<Record<string, SortValue>>`select ${columns} from findings f
      where ${allOf([...start, ...finding])} order by ${orderBy(order)} limit ${size}`.execute(db);
    const ids = part.map(({ id = 0 }) => id);
    if (ids.length > 0) {
      const where = [sql`f.id in (${sql.join(ids)})`, JOINED, ...row];
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
  return undefined;
}

/** Reads rows by when they were first seen, none of them later than `newest`. Undefined when it is given up. */
export async function walkRows(
  db: Db,
  { row, limit, after, most, newest }: Wanted & { readonly newest: number },
): Promise<readonly RowKey[] | undefined> {
  const found: RowKey[] = [];
  // Before the first that can be wanted.
  let from: readonly SortValue[] = after && Number(after[0]) <= newest ? after : [newest + 1, 0, 0];
  for (let [size, looked] = [FIRST_ROWS, 0]; looked <= most; looked += size, size = Math.min(size * 2, MOST_ROWS)) {
    const slice = sql`select first_seen, finding_id, repository, statuses, traits, package from repository_findings g
      where ${behind(OF_ROWS, from)} order by ${orderBy(OF_ROWS)}`;
    const { rows } = await sql<RowKey>`select g.finding_id, g.repository from (${slice} limit ${size}) g
      where ${allOf(row)} order by ${orderBy(OF_ROWS)} limit ${limit - found.length}`.execute(db);
    found.push(...rows);
    if (found.length >= limit) return found;
    const end = await sql<{ first_seen: number } & RowKey>`${slice} limit 1 offset ${size - 1}`.execute(db);
    const [last] = end.rows;
    if (!last) return found;
    from = [last.first_seen, last.finding_id, last.repository];
    await breathe();
  }
  return undefined;
}
