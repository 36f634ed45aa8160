import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import { allOf, type Condition, type Conditions } from './query.ts';

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

/** Rows that can be found by one side of a filter: tables, with the conditions that lead to them and all others. */
export interface Found {
  readonly from: Condition;
  readonly where: Condition;
}

export interface Plan {
  /** All rows that are wanted, when they are few; else they are read in the order of an index. */
  readonly few: Found | undefined;
  readonly total: Total | undefined;
}

/** Finds out whether few rows are wanted, looking at no more than so many. */
export async function planOf(db: Db, conditions: Conditions, { few, lookedThrough }: Limits): Promise<Plan> {
  const sides = sidesOf(conditions);
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

const EVERYTHING: Found = { from: sql`repository_findings g`, where: sql`1 = 1` };

interface Side {
  /** What can be found by it. */
  readonly alone: Found;
  /** Those of them that are wanted; the same when nothing else is asked. */
  readonly all: Found;
}

/** The sides of a filter, the one that has fewest most often first. */
function sidesOf({ names, traits, place }: Conditions): readonly Side[] {
  const ofNames: Found | undefined =
    names.length === 0
      ? undefined
      : { from: sql`findings f cross join repository_findings g`, where: allOf([...names, JOINED]) };
  const rows = sql`repository_findings g`;
  const ofPlace = place && { from: rows, where: place('index') };
  const ofTraits = traits && { from: rows, where: traits('index') };
  const others = (side: Found, more: readonly (Condition | undefined)[], withNames: boolean): Side => {
    const rest = more.filter((one) => one !== undefined);
    const named = withNames && names.length > 0;
    if (rest.length === 0 && !named) return { alone: side, all: side };
    const from = named ? sql`${side.from} cross join findings f` : side.from;
    return { alone: side, all: { from, where: allOf([side.where, ...rest, ...(named ? [JOINED, ...names] : [])]) } };
  };
  return [
    ofNames && others(ofNames, [place?.('row'), traits?.('row')], false),
    ofPlace && others(ofPlace, [traits?.('row')], true),
    ofTraits && others(ofTraits, [place?.('row')], true),
  ].filter((side) => side !== undefined);
}

const JOINED = sql`f.id = g.finding_id`;

/** Counts no further than one more than that. */
async function countUpTo(db: Db, { from, where }: Found, most: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from (select 1 from ${from} where ${where} limit ${most + 1}) as counted`.execute(db);
  return Number(rows[0]?.count ?? 0);
}
