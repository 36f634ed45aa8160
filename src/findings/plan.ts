import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import { allOf, type Conditions, JOINED, type Side, type Source } from './query.ts';

/** What one page may cost. */
export interface Limits {
  /** Rows that are sorted at most. */
  readonly few: number;
  /** Entries of an index that are looked through for them at most. */
  readonly lookedThrough: number;
}

export const LIMITS: Limits = { few: 5000, lookedThrough: 50_000 };

/** Number of findings that are wanted, or one that there are at least. */
export interface Total {
  readonly count: number;
  readonly exact: boolean;
}

export interface Plan {
  /** All rows that are wanted, when they are few; else they are read in the order of an index. */
  readonly few: Source | undefined;
  readonly total: Total | undefined;
}

/** Finds out whether few rows are wanted, looking at no more than so many. */
export async function planOf(db: Db, conditions: Conditions, { few, lookedThrough }: Limits): Promise<Plan> {
  const sides = searchesOf(conditions);
  let least: number | undefined;
  for (const { alone, all } of sides) {
    const entries = await countUpTo(db, alone, lookedThrough);
    least = Math.min(entries, least ?? entries);
    if (entries > lookedThrough) continue;
    const count = all === alone ? entries : await countUpTo(db, all, few);
    const total = { count: Math.min(count, few), exact: count <= few };
    if (all === alone) return { few: count <= few ? all : undefined, total: { count, exact: true } };
    return { few: total.exact ? all : undefined, total };
  }
  if (sides.length > 1) return { few: undefined, total: undefined };
  const count = least ?? (await countUpTo(db, EVERYTHING, lookedThrough));
  return { few: undefined, total: { count: Math.min(count, lookedThrough), exact: count <= lookedThrough } };
}

const EVERYTHING: Source = { from: sql`repository_findings g`, where: sql`1 = 1` };

interface Search {
  /** What can be found by one side. */
  readonly alone: Source;
  /** What of it is wanted; the same when nothing else is asked. */
  readonly all: Source;
}

/** A search by each side of a filter, by the one that has fewest most often first. */
function searchesOf({ names, place, traits }: Conditions): readonly Search[] {
  const named = names !== undefined;
  return [
    ...searchBy(names, [place, traits], false),
    ...searchBy(place, [traits, names], named),
    ...searchBy(traits, [place, names], named),
  ];
}

/** `named`: the others ask for names, and the side itself does not lead to them. */
function searchBy(side: Side | undefined, others: readonly (Side | undefined)[], named: boolean): Search[] {
  if (!side) return [];
  const rest = others.flatMap((other) => other?.holds ?? []);
  if (rest.length === 0) return [{ alone: side.source, all: side.source }];
  const { from, where } = side.source;
  const joined = named ? { from: sql`${from} cross join findings f`, where: sql`${where} and ${JOINED}` } : side.source;
  return [{ alone: side.source, all: { from: joined.from, where: allOf([joined.where, ...rest]) } }];
}

/** Counts no further than one more than that. */
async function countUpTo(db: Db, { from, where }: Source, most: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from (select 1 from ${from} where ${where} limit ${most + 1}) as counted`.execute(db);
  return rows[0]?.count ?? 0;
}
