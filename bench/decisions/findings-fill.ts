import { sql } from 'kysely';
import { batches } from '../../src/db/batches.ts';
import type { Tx } from '../../src/db/database.ts';
import { bitOf, COUNTED, type ListedStatus, writeList } from '../../src/findings/status.ts';
import { traitsOf } from '../../src/findings/traits.ts';
import type { Finding } from '../../src/model/finding.ts';
import { SEVERITIES, severityRank } from '../../src/model/severity.ts';
import { createRandom } from '../../test/support/random.ts';
import { pullable } from './gate.ts';
import type { World } from './world.ts';

const PROJECTS = 100;
const REPOSITORIES = 1000;
/** Versions in which a package of the real lists occurs. */
const VERSIONS = 40;
const ROWS = 2000;
const DAY = 86_400_000;

/** Images whose findings are taken. */
const LOOKED_AT = 200;

export interface Filled {
  readonly projects: readonly string[];
  readonly repositories: readonly string[];
  readonly vulnerabilities: readonly string[];
  readonly packages: readonly string[];
  readonly rows: number;
}

/**
 * Fills the list with findings of real package lists, in versions that were made up, until it has about as many rows as are wanted: each
 * repository has some builds of one image, no two with the same versions, so that no two images share a row. Before, it is emptied: nothing that
 * judges can be measured in this world afterwards.
 */
export async function fillList(world: World, wanted: number): Promise<Filled> {
  const lists = await realFindings(world);
  const numbers = createRandom(1);
  const random = () => numbers.between(0, 999_999) / 1_000_000;
  const projects = Array.from({ length: PROJECTS }, (_, at) => `bench-project-${at}`);
  const names = new Set<string>();
  const packages = new Set<string>();
  let rows = 0;
  const repositories: string[] = [];
  const findingIds = new Map<string, number>();
  const known = [...new Set(lists.flat().map((finding) => finding.package.name))];
  const packageNumbers = new Map(known.map((name, at) => [name, at + 1]));
  await world.db.transaction().execute(async (tx) => {
    await emptyList(tx);
    for (const batch of batches([...packageNumbers], ROWS))
      await tx
        .insertInto('finding_packages')
        .values(batch.map(([name, number]) => ({ name, number })))
        .execute();
    const average = lists.reduce((sum, list) => sum + list.length, 0) / lists.length;
    const builds = Math.max(1, Math.ceil(wanted / (average * REPOSITORIES)));
    for (let number = 1; number <= REPOSITORIES; number += 1) {
      const at = Math.floor(random() ** 2 * PROJECTS);
      const project = projects[at] ?? '';
      const name = `${project}/repository-${number}`;
      repositories.push(name);
      await tx
        .insertInto('finding_repositories')
        .values({ number, repository_id: `bench-repository-${number}`, project_id: project, name })
        .execute();
      const list = lists[Math.floor(random() * lists.length)] ?? [];
      rows += await fillRepository(tx, { number, list, builds, old: at % 4 === 3, findingIds, packageNumbers, random });
      for (const finding of list) {
        names.add(finding.id);
        packages.add(finding.package.name);
      }
      if (rows >= wanted) break;
    }
    await sql`insert into finding_groups (repository, package, statuses, traits, findings, newest)
      select repository, package, statuses, traits, count(*), max(first_seen) from repository_findings group by 1, 2, 3, 4`.execute(
      tx,
    );
  });
  return { projects, repositories, vulnerabilities: [...names], packages: [...packages], rows };
}

async function realFindings({ db, verdicts }: World): Promise<readonly (readonly Finding[])[]> {
  const lists: (readonly Finding[])[] = [];
  for (const { digest } of await pullable({ db }, LOOKED_AT)) {
    const findings = (await verdicts.findingsOf(digest))?.findings ?? [];
    if (findings.length > 20) lists.push(findings);
  }
  return lists;
}

/** Tables of the list, those that refer to others first. */
const LIST = [
  'image_findings',
  'finding_groups',
  'repository_findings',
  'finding_images',
  'finding_repositories',
  'finding_names',
  'findings',
  'finding_packages',
] as const;

async function emptyList(tx: Tx): Promise<void> {
  for (const table of LIST) await tx.deleteFrom(table).execute();
}

interface Repository {
  readonly number: number;
  readonly list: readonly Finding[];
  readonly builds: number;
  /** Nothing has come to it for long. */
  readonly old: boolean;
  readonly findingIds: Map<string, number>;
  readonly packageNumbers: ReadonlyMap<string, number>;
  readonly random: () => number;
}

async function fillRepository(
  tx: Tx,
  { number, list, builds, old, findingIds, packageNumbers, random }: Repository,
): Promise<number> {
  const held = new Map<number, ReturnType<typeof rowOf> & { readonly package: number }>();
  const places: { finding_id: number; repository: number; image: number }[] = [];
  for (let build = 0; build < builds; build += 1) {
    const image = number * 1000 + build;
    const own = new Map<number, ListedStatus>();
    const fresh: { finding: Finding; version: number; id: number }[] = [];
    for (const finding of list) {
      const version = Math.floor(random() * VERSIONS);
      const key = `${finding.id} ${finding.package.name} ${finding.installed} ${version}`;
      const known = findingIds.get(key);
      const id = known ?? findingIds.size + 1;
      if (known === undefined) {
        findingIds.set(key, id);
        fresh.push({ finding, version, id });
      }
      const status = statusAt(finding, random());
      if (own.has(id)) continue;
      own.set(id, status);
      places.push({ finding_id: id, repository: number, image });
      const row = held.get(id) ?? {
        ...rowOf(finding, id, { repository: number, old, random }),
        package: packageNumbers.get(finding.package.name) ?? 0,
      };
      held.set(id, { ...row, [COUNTED[status]]: row[COUNTED[status]] + 1, statuses: row.statuses | bitOf(status) });
    }
    await writeFindings(tx, fresh, packageNumbers);
    await tx
      .insertInto('finding_images')
      .values({ number: image, repository: number, digest: `sha256:${image}`, findings: writeList(own) })
      .execute();
  }
  for (const batch of batches([...held.values()], ROWS))
    await tx.insertInto('repository_findings').values(batch).execute();
  for (const batch of batches(places, ROWS)) await tx.insertInto('image_findings').values(batch).execute();
  return held.size;
}

/** Many older ones, and a day on which half as many came as in the year before; in a quarter of the projects all are old. */
function rowOf(
  finding: Finding,
  finding_id: number,
  { repository, old, random }: Pick<Repository, 'old' | 'random'> & { readonly repository: number },
) {
  const days = random() < 0.3 ? 0 : random() * 700;
  const first_seen = 1_790_000_000_000 - Math.floor((old ? 700 + days : days) * DAY);
  const traits = traitsOf({
    severity: SEVERITIES[severityOf(finding)] ?? 'unknown',
    fixable: finding.fixed !== undefined,
    kev: finding.kev !== undefined,
  });
  return {
    finding_id,
    repository,
    traits,
    blocked: 0,
    warned: 0,
    in_grace: 0,
    excepted: 0,
    dismissed: 0,
    statuses: 0,
    first_seen,
  };
}

function statusAt(finding: Finding, chance: number): ListedStatus {
  if (chance < 0.002) return 'excepted';
  if (chance < 0.01) return 'dismissed';
  if (severityOf(finding) < severityRank('high')) return 'warned';
  return chance < 0.1 ? 'in-grace' : 'blocked';
}

function severityOf({ severities }: Finding): number {
  return Math.max(0, ...severities.map(({ severity }) => SEVERITIES.indexOf(severity)));
}

async function writeFindings(
  tx: Tx,
  fresh: readonly { readonly finding: Finding; readonly version: number; readonly id: number }[],
  packageNumbers: ReadonlyMap<string, number>,
): Promise<void> {
  const rows = fresh.map(({ finding, version, id }) => ({
    id,
    identity: `bench ${id}`,
    vulnerability: finding.id,
    aliases: JSON.stringify(finding.aliases),
    package: finding.package.name,
    package_number: packageNumbers.get(finding.package.name) ?? 0,
    installed: `${finding.installed}+${version}`,
    fixed: finding.fixed ?? '',
    severity: severityOf(finding),
    fixable: finding.fixed === undefined ? 0 : 1,
    vendor_status: '',
    kev: finding.kev === undefined ? 0 : 1,
    epss: finding.epss?.probability ?? -1,
  }));
  for (const batch of batches(rows, ROWS)) await tx.insertInto('findings').values(batch).execute();
  const names = fresh.flatMap(({ finding, id }) =>
    [...new Set([finding.id, ...finding.aliases].map((name) => name.toLowerCase()))].map((name) => ({
      name,
      finding_id: id,
    })),
  );
  for (const batch of batches(names, ROWS)) await tx.insertInto('finding_names').values(batch).execute();
}
