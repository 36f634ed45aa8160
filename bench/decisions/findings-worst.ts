import { sql } from 'kysely';
import type { FindingQuery } from '../../src/findings/list.ts';
import { writePlace } from '../../src/findings/place.ts';
import { type FindingFilter, SORTS, type Sort } from '../../src/findings/query.ts';
import { placeOf, type RowKey, readRows } from '../../src/findings/rows.ts';
import { STATUSES } from '../../src/findings/status.ts';
import type { Filled } from './findings-fill.ts';
import type { World } from './world.ts';

/** What is rare, what is everywhere, what never occurs together, and what is not there at all. */
const STATES: readonly FindingFilter[] = [
  {},
  ...STATUSES.map((status) => ({ statuses: [status] })),
  { severity: 'critical' },
  { severity: 'medium', fixable: false },
  { fixable: true, statuses: ['blocked', 'in-grace'] },
  { severity: 'high', statuses: ['excepted', 'dismissed'] },
  { severity: 'low', fixable: true, statuses: ['warned'] },
  { kev: true },
];

/**
 * Pages that are asked because they should be the slowest: each thing of which there is much, alone and with everything else that can be
 * asked, in every order, from the beginning, and from places behind which what is wanted may not occur any more.
 */
export async function worstQueries(world: World, list: Filled, limit: number): Promise<readonly FindingQuery[]> {
  const half = list.projects.slice(list.projects.length / 2);
  const old = list.projects.filter((_, at) => at % 4 === 3);
  const places: FindingFilter[] = [{}, { projects: list.projects.slice(0, 1) }, { projects: half }, { projects: old }];
  const most = await mostFrequent(world);
  const packages: FindingFilter[] = [
    {},
    { package: most },
    { packagePrefix: most.slice(0, 1) },
    { packagePrefix: 'lib' },
  ];
  const queries: FindingQuery[] = [];
  for (const sort of SORTS) {
    const starts = [
      undefined,
      await placeAfter(world, sort, list.rows * 0.5),
      await placeAfter(world, sort, list.rows - 500),
    ];
    for (const place of places)
      for (const named of packages)
        for (const state of STATES)
          for (const after of starts) queries.push({ ...place, ...named, ...state, sort, limit, after });
  }
  return queries;
}

async function mostFrequent({ db }: World): Promise<string> {
  const { rows } = await sql<{
    name: string;
  }>`select k.name from finding_groups c join finding_packages k on k.number = c.package
    group by k.name order by sum(c.findings) desc limit 1`.execute(db);
  return rows[0]?.name ?? '';
}

/** The place behind so many rows of the whole list. */
async function placeAfter({ db }: World, sort: Sort, rows: number): Promise<string> {
  const order = {
    severity: sql`f.severity desc, f.epss desc, f.id desc, g.repository desc`,
    epss: sql`f.epss desc, f.id desc, g.repository desc`,
    vulnerability: sql`f.vulnerability, f.id, g.repository`,
    package: sql`f.package, f.id, g.repository`,
    'first-seen': sql`g.first_seen desc, g.finding_id desc, g.repository desc`,
    repository: sql`r.name, f.severity desc, f.epss desc, f.id desc`,
  }[sort];
  const { rows: keys } = await sql<RowKey>`select g.finding_id, g.repository from findings f
    join repository_findings g on g.finding_id = f.id join finding_repositories r on r.number = g.repository
    order by ${order} limit 1 offset ${Math.floor(rows)}`.execute(db);
  const [row] = await readRows(db, keys);
  if (!row) throw new Error(`there is nothing behind ${rows} rows`);
  return writePlace(placeOf(row, sort));
}
