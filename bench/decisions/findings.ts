import { sql } from 'kysely';
import type { FindingQuery } from '../../src/findings/list.ts';
import { writePlace } from '../../src/findings/place.ts';
import { type FindingFilter, SORTS, type Sort } from '../../src/findings/query.ts';
import { type FoundRow, placeOf, type RowKey, readRows } from '../../src/findings/rows.ts';
import { STATUSES } from '../../src/findings/status.ts';
import { createRandom, type Random } from '../../test/support/random.ts';
import { type Filled, fillList } from './findings-fill.ts';
import { worstQueries } from './findings-worst.ts';
import { readPages } from './read-pages.ts';
import { type Figure, percentile, type Row } from './row.ts';
import type { Timed } from './slowest.ts';
import type { World } from './world.ts';

const ROWS = 1_000_000;
const PAGES = 1000;
const GOAL_MS = 50;
const LIMIT = 100;
/** Slowest pages that are told. */
const TOLD = 10;

let filled: Filled | undefined;
let worst: readonly FindingQuery[] = [];
let first: readonly FindingQuery[] = [];

const asked: Timed<FindingQuery>[] = [];

/** Pages of a list of a million findings: any filters, any sort, from the beginning, anywhere and near the end; and those that should be the worst. */
export const findingsRow: Row = {
  name: 'findings',
  async measure(world, round) {
    if (!filled) {
      filled = await fillList(world, ROWS);
      // PostgreSQL does this by itself soon after.
      if (world.handle.engine === 'postgres') await sql`vacuum analyze`.execute(world.db);
      worst = await worstQueries(world, filled, LIMIT);
      first = await anyQueries(world, filled, createRandom(1), 50);
    }
    const { location } = world;
    const queries = await anyQueries(world, filled, createRandom(1000 + round), PAGES);
    const any = await readPages({ location, first, queries });
    const bad = await readPages({ location, first, queries: worst });
    asked.push(...any, ...bad);
    const what = `findings, a page of ${filled.rows} rows`;
    const worstOf = (sort: Sort) => Math.max(...bad.filter((one) => one.what.sort === sort).map(({ ms }) => ms));
    return [
      ...figuresOf(world, what, any),
      ...figuresOf(world, `${what}, the worst`, bad),
      ...SORTS.map((sort) => ({ what: `${what}, the worst: by ${sort}`, value: worstOf(sort), unit: 'ms' as const })),
    ];
  },
  slowest() {
    const slow = asked.toSorted((a, b) => b.ms - a.ms).slice(0, TOLD);
    return slow.map(
      ({ what, ms, collected }) =>
        `${ms.toFixed(1)} ms, ${collected.toFixed(1)} collecting: ${JSON.stringify(what, shortly)}`,
    );
  },
};

function figuresOf({ handle }: World, what: string, pages: readonly Timed<FindingQuery>[]): readonly Figure[] {
  // SQLite reads in this process: what else the machine does is not in it.
  const worked = handle.engine === 'sqlite' ? pages.map((page) => page.worked) : [];
  const times = pages.map(({ ms }) => ms);
  return [
    { what: `${what}: median`, value: percentile(times, 0.5), unit: 'ms', goal: GOAL_MS },
    { what: `${what}: 99 of 100 below`, value: percentile(times, 0.99), unit: 'ms', goal: GOAL_MS },
    { what: `${what}: the slowest of ${pages.length}`, value: Math.max(...times), unit: 'ms', goal: GOAL_MS },
    ...(worked.length === 0 ? [] : [0.99, 1]).map((part) => ({
      what: `${what}: processor time, ${part * 100} of 100 below`,
      value: percentile(worked, part),
      unit: 'ms' as const,
    })),
    {
      what: `${what}: collecting the heap in it, most`,
      value: Math.max(...pages.map((page) => page.collected)),
      unit: 'ms',
    },
  ];
}

function shortly(_: string, value: unknown): unknown {
  return Array.isArray(value) && value.length > 5 ? `${value.length} from ${value[0]}` : value;
}

async function anyQueries(world: World, list: Filled, random: Random, count: number): Promise<readonly FindingQuery[]> {
  const queries: FindingQuery[] = [];
  while (queries.length < count) {
    const sort = random.pick(SORTS);
    const from = random.pick(['beginning', 'anywhere', 'end'] as const);
    const place = from === 'beginning' ? undefined : await placeAt(world, list, { random, sort, from });
    queries.push({ ...filterOf(list, random), sort, limit: LIMIT, after: place && writePlace(placeOf(place, sort)) });
  }
  return queries;
}

/** Up to all filters at once. */
function filterOf(list: Filled, random: Random): FindingFilter {
  const projects = random.pick([1, 3, 30]);
  const values: FindingFilter = {
    projects: Array.from({ length: projects }, () => random.pick(list.projects)),
    repository: random.pick(list.repositories),
    vulnerability: random.pick(list.vulnerabilities),
    package: random.pick(list.packages),
    packagePrefix: random.pick(list.packages).slice(0, random.between(1, 3)),
    severity: random.pick(['low', 'medium', 'high', 'critical'] as const),
    fixable: random.chance(0.7),
    kev: random.chance(0.8),
    statuses: random.some(STATUSES.slice(1), 2).concat(random.pick(STATUSES)),
  };
  const names = random.some(Object.keys(values), 4);
  return Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)));
}

async function placeAt(
  { db }: Pick<World, 'db'>,
  list: Filled,
  { random, sort, from }: { readonly random: Random; readonly sort: Sort; readonly from: 'anywhere' | 'end' },
): Promise<FoundRow | undefined> {
  const all = sql`findings f join repository_findings g on g.finding_id = f.id join finding_repositories r on r.number = g.repository`;
  if (from === 'anywhere') {
    const repository = random.pick(list.repositories);
    const { rows } =
      await sql<RowKey>`select g.finding_id, g.repository from ${all} where r.name = ${repository}`.execute(db);
    return (await readRows(db, [random.pick(rows)]))[0];
  }
  // What comes last, but for some rows.
  const last = {
    severity: sql`f.id in (select id from findings order by severity, epss, id limit 20)`,
    epss: sql`f.id in (select id from findings order by epss, id limit 20)`,
    vulnerability: sql`f.id in (select id from findings order by vulnerability desc, id desc limit 20)`,
    package: sql`f.id in (select id from findings order by package desc, id desc limit 20)`,
    'first-seen': sql`g.first_seen in (select first_seen from repository_findings order by first_seen limit 200)`,
    repository: sql`r.number in (select number from finding_repositories order by name desc limit 1)`,
  }[sort];
  const { rows } = await sql<RowKey>`select g.finding_id, g.repository from ${all} where ${last} limit 200`.execute(db);
  return (await readRows(db, [random.pick(rows)]))[0];
}
