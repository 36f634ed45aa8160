import { performance } from 'node:perf_hooks';
import { sql } from 'kysely';
import { type FindingQuery, listFindings } from '../../src/findings/list.ts';
import { writePlace } from '../../src/findings/place.ts';
import { type FindingFilter, SORTS, type Sort } from '../../src/findings/query.ts';
import { type FoundRow, placeOf, type RowKey, readRows } from '../../src/findings/rows.ts';
import { STATUSES } from '../../src/findings/status.ts';
import { createRandom, type Random } from '../../test/support/random.ts';
import { type Filled, fillList } from './findings-fill.ts';
import { percentile, type Row } from './row.ts';
import type { World } from './world.ts';

const ROWS = 1_000_000;
const PAGES = 1000;
const GOAL_MS = 50;
const LIMIT = 100;

let filled: Filled | undefined;

/** Pages of a list of a million findings: any filters, any sort, from the beginning, anywhere and near the end. */
export const findingsRow: Row = {
  name: 'findings',
  async measure(world, round) {
    if (!filled) {
      filled = await fillList(world, ROWS);
      // PostgreSQL does this by itself soon after.
      if (world.handle.engine === 'postgres') await sql`vacuum analyze`.execute(world.db);
      // The first pages fill the cache.
      for (let at = 0; at < 50; at += 1) await ask(world, filled, createRandom(at + 1));
    }
    const random = createRandom(1000 + round);
    const asked: Awaited<ReturnType<typeof ask>>[] = [];
    for (let at = 0; at < PAGES; at += 1) asked.push(await ask(world, filled, random));
    const what = `findings, a page of ${filled.rows} rows`;
    const all = asked.map(({ ms }) => ms);
    // SQLite reads in this process: what else the machine does is not in it.
    const worked = world.handle.engine === 'sqlite' ? asked.map((one) => one.worked) : [];
    const ofWork = worked.length === 0 ? [] : [0.5, 0.99, 1];
    return [
      { what: `${what}: median`, value: percentile(all, 0.5), unit: 'ms', goal: GOAL_MS },
      { what: `${what}: 99 of 100 below`, value: percentile(all, 0.99), unit: 'ms', goal: GOAL_MS },
      { what: `${what}: the slowest of ${PAGES}`, value: Math.max(...all), unit: 'ms', goal: GOAL_MS },
      ...ofWork.map((part) => ({
        what: `${what}: processor time, ${part * 100} of 100 below`,
        value: percentile(worked, part),
        unit: 'ms' as const,
      })),
      ...SORTS.map((sort) => {
        const times = asked.filter(({ query }) => query.sort === sort).map(({ ms }) => ms);
        return { what: `${what}: by ${sort}, the slowest`, value: Math.max(...times), unit: 'ms' as const };
      }),
    ];
  },
};

async function ask({ db }: World, list: Filled, random: Random) {
  const sort = random.pick(SORTS);
  const from = random.pick(['beginning', 'anywhere', 'end'] as const);
  const place = from === 'beginning' ? undefined : await placeAt({ db }, list, { random, sort, from });
  const query: FindingQuery = {
    ...filterOf(list, random),
    sort,
    limit: LIMIT,
    after: place && writePlace(placeOf(place, sort)),
  };
  const before = process.cpuUsage();
  const began = performance.now();
  const page = await listFindings(db, query);
  const ms = performance.now() - began;
  const { user, system } = process.cpuUsage(before);
  if (!page) throw new Error('the page has no place');
  return { query, ms, worked: (user + system) / 1000 };
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
