import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import { createRandom } from '../../test/support/random.ts';
import type { DatabaseHandle } from '../db/database.ts';
import { SEVERITIES, severityRank } from '../model/severity.ts';
import type { Reason } from '../model/verdict.ts';
import { createWorld, DAY, NOW, type World } from '../verdicts/world.testing.ts';
import { foundIn } from './found.ts';
import { keepFindings } from './keep.ts';
import { listFindings } from './list.ts';
import { LIMITS } from './plan.ts';
import { type FindingFilter, SORTS, type Sort } from './query.ts';
import type { ListedFinding } from './rows.ts';
import { STATUSES } from './status.ts';

const REPOSITORIES = ['front/a', 'front/b/c', 'front/z', 'back/a', 'back/b'];
const PACKAGES = ['openssl', 'libssl3', 'libcurl', 'zlib', 'Zlib', 'éclair'];
/** Nothing is few: every page is read in the order of an index. */
const WALK = { few: -1, findingsForRow: 0, rowsForFinding: 1 / 1000, rowsLookedThrough: 0, rowsSortable: -1 };
/** Pages are begun in the order of an index, and given up. */
const GIVE_UP = { few: 5, findingsForRow: 1 / 8, rowsForFinding: 1000, rowsLookedThrough: 7, rowsSortable: 1e9 };

const FILTERS: readonly FindingFilter[] = [
  {},
  { projects: ['front'] },
  { projects: ['front', 'back'], repository: 'back/a' },
  { projects: [] },
  { repository: 'front/b/c', statuses: ['blocked', 'excepted'] },
  { vulnerability: 'cve-2024-3' },
  { vulnerability: 'GHSA-0000-0000-0004' },
  { vulnerability: 'CVE-1999-1' },
  { package: 'openssl', projects: ['back'] },
  { packagePrefix: 'lib' },
  { packagePrefix: 'lib', severity: 'medium', fixable: true, statuses: ['warned'] },
  { severity: 'high' },
  { severity: 'low', kev: true },
  { fixable: false, kev: false },
  { statuses: ['in-grace'] },
  { statuses: ['dismissed', 'excepted'], projects: ['front'] },
  { packagePrefix: 'l', projects: ['front', 'back'], fixable: false },
  { package: 'zlib', statuses: ['blocked'], kev: false },
  { vulnerability: 'CVE-2024-6', projects: ['back'], severity: 'high', statuses: ['warned'], packagePrefix: 'lib' },
];

function randomReason(random: ReturnType<typeof createRandom>): Reason {
  const number = random.between(1, 12);
  const fixable = random.chance(0.5);
  const status = random.pick(STATUSES);
  return {
    rule: fixable ? 'severity-fixable' : 'severity-unfixable',
    kind: status === 'blocked' ? 'block' : status === 'excepted' || status === 'dismissed' ? 'allow' : 'warn',
    severity: random.pick(SEVERITIES),
    vulnerability: `CVE-2024-${number}`,
    ...(number % 2 === 0 ? { aliases: [`GHSA-0000-0000-000${number}`] } : {}),
    package: random.pick(PACKAGES),
    installed: `${random.between(1, 3)}`,
    ...(fixable ? { fixed: '9' } : {}),
    ...(number % 3 === 0 ? { kev: true } : {}),
    ...(number % 4 === 0 ? {} : { epss: number / 97 }),
    firstSeen: NOW - random.between(0, 5) * DAY,
    ...(status === 'in-grace' ? { deadline: NOW + DAY } : {}),
    ...(status === 'excepted' ? { suppressedBy: { exception: 'e', until: NOW + DAY } } : {}),
    ...(status === 'dismissed' ? { vex: { status: 'not_affected' as const, author: 'a', document: 'd' } } : {}),
    message: 'm',
    source: 's',
  };
}

describe.each(ENGINES)('pages of findings on %s', (engine) => {
  let handle: DatabaseHandle;
  let world: World;
  beforeAll(async () => {
    handle = await freshDatabase(engine);
    world = await createWorld(handle);
    const random = createRandom(7);
    for (let number = 0; number < 40; number += 1)
      await keep(
        random.pick(REPOSITORIES),
        number,
        Array.from({ length: 12 }, () => randomReason(random)),
      );
  }, 60_000);
  afterAll(() => handle.close());

  async function keep(repository: string, number: number, reasons: readonly Reason[]) {
    const { repositoryId, digest } = await world.storeImage(repository, [{ packages: [`p@${number}`] }]);
    const image = { repositoryId, repository, projectId: repository.split('/')[0] ?? '', digest };
    const verdict = { reasons, judgedAt: NOW };
    const found = foundIn(verdict, new WeakMap());
    await world.db.transaction().execute((tx) => keepFindings(tx, [{ ...image, found }], new Map(), { newest: true }));
  }

  async function everything(): Promise<readonly ListedFinding[]> {
    const page = await listFindings(world.db, { sort: 'severity', limit: 10_000 });
    return page?.items ?? [];
  }

  const cases = SORTS.flatMap((sort) => FILTERS.map((filter) => ({ sort, filter, name: JSON.stringify(filter) })));

  it.each(cases)('joined are the whole list by $sort of $name', async ({ sort, filter }) => {
    const all = await everything();
    expect(all.length).toBeGreaterThan(200);
    const wanted = all.filter((finding) => isWanted(finding, filter));
    for (const limits of [LIMITS, GIVE_UP, WALK])
      for (const limit of [19, 1000]) {
        const joined: ListedFinding[] = [];
        let after: string | undefined;
        do {
          const page = await listFindings(world.db, { ...filter, sort, limit, after }, limits);
          if (!page) throw new Error('a place that was given is none');
          expect(page.total).toBe(wanted.length);
          joined.push(...page.items);
          after = page.next;
          if (after !== undefined) expect(page.items).toHaveLength(limit);
        } while (after !== undefined);
        expect(joined.map(nameOf).toSorted()).toEqual(wanted.map(nameOf).toSorted());
        expect(joined.map((finding) => sortedBy(finding, sort))).toEqual(
          wanted.map((finding) => sortedBy(finding, sort)).toSorted(compare),
        );
      }
  });

  it.each([
    '',
    'x',
    'bnVsbA',
    Buffer.from('["severity",1,2,3,"x"]').toString('base64url'),
    Buffer.from('["epss",1,2,3]').toString('base64url'),
  ])('takes no place that is none: %s', async (after) => {
    expect(await listFindings(world.db, { sort: 'severity', limit: 1, after })).toBeUndefined();
  });

  it('follows scores and names of what is listed, as the newest verdict says', async () => {
    const one: Reason = { ...randomReason(createRandom(1)), vulnerability: 'CVE-2030-1', kind: 'warn', epss: 0.1 };
    await keep('front/a', 1000, [one]);
    await keep('front/b/c', 1001, [{ ...one, epss: 0.9, aliases: ['GHSA-new'] }]);
    const page = await listFindings(world.db, { vulnerability: 'ghsa-NEW', sort: 'repository', limit: 9 });
    expect(page?.items.map(({ repository, epss, aliases }) => [repository, epss, aliases])).toEqual([
      ['front/a', 0.9, ['GHSA-new']],
      ['front/b/c', 0.9, ['GHSA-new']],
    ]);
  });
});

function isWanted(finding: ListedFinding, filter: FindingFilter): boolean {
  const {
    projects,
    repository,
    vulnerability,
    package: name,
    packagePrefix,
    severity,
    fixable,
    kev,
    statuses,
  } = filter;
  const names = [finding.vulnerability, ...finding.aliases].map((one) => one.toLowerCase());
  return (
    (projects === undefined || projects.includes(finding.repository.split('/')[0] ?? '')) &&
    (repository === undefined || finding.repository === repository) &&
    (vulnerability === undefined || names.includes(vulnerability.toLowerCase())) &&
    (name === undefined || finding.package === name) &&
    (packagePrefix === undefined || finding.package.startsWith(packagePrefix)) &&
    (severity === undefined || severityRank(finding.severity) >= severityRank(severity)) &&
    (fixable === undefined || (finding.fixed !== undefined) === fixable) &&
    (kev === undefined || finding.kev === kev) &&
    (statuses === undefined || statuses.some((status) => finding.statuses[status] !== undefined))
  );
}

function nameOf(finding: ListedFinding): string {
  return JSON.stringify(finding);
}

/** What people see a list is sorted by. */
function sortedBy(finding: ListedFinding, sort: Sort): readonly (string | number)[] {
  const { epss = -1, firstSeen, vulnerability, package: name, repository } = finding;
  const rank = severityRank(finding.severity);
  switch (sort) {
    case 'severity':
      return [-rank, -epss];
    case 'epss':
      return [-epss];
    case 'first-seen':
      return [-firstSeen];
    case 'vulnerability':
      return [vulnerability];
    case 'package':
      return [name];
    case 'repository':
      return [repository, -rank, -epss];
  }
}

/** Text as bytes, whatever the language of the server. */
function compare(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  for (const [at, left] of a.entries()) {
    const right = b[at] ?? '';
    if (left === right) continue;
    if (typeof left === 'number') return left < Number(right) ? -1 : 1;
    return Buffer.compare(Buffer.from(left), Buffer.from(String(right)));
  }
  return 0;
}
