import { type RawBuilder, sql } from 'kysely';
import type { Sort } from './query.ts';

/** A value that rows are sorted by. */
export type SortValue = string | number;

/** How rows are sorted: all columns in the same direction, the last ones tell any two rows apart. */
export interface Order {
  readonly columns: readonly string[];
  readonly descending: boolean;
}

/** Orders of the findings themselves; within one finding the repositories follow each other. */
export const OF_FINDINGS = {
  severity: { columns: ['f.severity', 'f.epss', 'f.id'], descending: true },
  epss: { columns: ['f.epss', 'f.id'], descending: true },
  vulnerability: { columns: ['f.vulnerability', 'f.id'], descending: false },
  package: { columns: ['f.package', 'f.id'], descending: false },
} as const satisfies Partial<Record<Sort, Order>>;

/** The newest first. */
export const OF_ROWS: Order = { columns: ['g.first_seen', 'g.finding_id', 'g.repository'], descending: true };

/** Within one repository: the worst first. */
export const IN_REPOSITORY: Order = OF_FINDINGS.severity;

/** The order of whole rows that a sort asks for, but for `repository`, which has two directions. */
export function orderOf(sort: Exclude<Sort, 'repository'>): Order {
  if (sort === 'first-seen') return OF_ROWS;
  const { columns, descending } = OF_FINDINGS[sort];
  return { columns: [...columns, 'g.repository'], descending };
}

/** `order by` of it. */
export function orderBy({ columns, descending }: Order): RawBuilder<unknown> {
  return sql.join(columns.map((column) => (descending ? sql`${sql.ref(column)} desc` : sql.ref(column))));
}

/** The same, sorted after everything was found: no engine then looks for rows in the index of the order. */
export function sortBy({ columns, descending }: Order): RawBuilder<unknown> {
  return sql.join(columns.map((column) => (descending ? sql`${value(column)} desc` : value(column))));
}

/** A column as a value that no index holds. */
export function value(column: string): RawBuilder<unknown> {
  return sql`coalesce(${sql.ref(column)}, ${sql.ref(column)})`;
}

/** True for rows behind a place; with `from` also at it. */
export function behind({ columns, descending }: Order, place: readonly SortValue[], from = false): RawBuilder<unknown> {
  const left = sql.join(columns.map((column) => sql.ref(column)));
  const than = sql.raw(`${descending ? '<' : '>'}${from ? '=' : ''}`);
  return sql`(${left}) ${than} (${sql.join([...place])})`;
}
