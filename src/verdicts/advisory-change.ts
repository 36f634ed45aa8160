import { batches } from '../db/batches.ts';
import type { Db } from '../db/database.ts';
import { breathe } from '../platform/breathe.ts';
import type { AdvisoryKey } from '../scanner/advisories/types.ts';
import { releaseKey, systemTypeOf, typesOf } from '../scanner/matcher/ecosystem.ts';
import type { PolicySource } from './ports.ts';

/** Names looked up at once: popular ones lie in every image. */
const NAMES = 25;

/** What a new advisory database can change, as `changedKeys` of the scanner tells it. */
export interface AdvisoryChange {
  /** Version the new one was compared with; absent when it is the first. */
  readonly previous?: string;
  readonly next: string;
  readonly keys: Iterable<AdvisoryKey>;
  /** Ecosystems whose sources or their completeness differ. */
  readonly ecosystems: readonly string[];
}

/** Hashes of the inventories that hold a package whose facts changed, or rest on sources that changed. Index look-ups. */
export async function affectedInventories(
  db: Db,
  change: Pick<AdvisoryChange, 'keys' | 'ecosystems'>,
): Promise<ReadonlySet<string>> {
  const hashes = new Set<string>();
  const stored = await storedReleases(db);
  const isStored = (ecosystem: string): boolean => typesOf(ecosystem).length > 0 || stored.has(ecosystem);
  for (const [ecosystem, names] of byEcosystem(change.keys)) {
    // Feeds cover many releases, a registry holds few.
    if (!isStored(ecosystem)) continue;
    for (const batch of batches([...names], NAMES)) {
      for (const row of await selectHolders(db, ecosystem, batch).execute()) hashes.add(row.hash);
      await breathe();
    }
  }
  for (const ecosystem of [...new Set(change.ecosystems.map(releaseKey))].filter(isStored)) {
    const holders = typesOf(ecosystem).length > 0 ? selectHolders(db, ecosystem) : selectOfRelease(db, ecosystem);
    for (const row of await holders.execute()) hashes.add(row.hash);
    await breathe();
  }
  return hashes;
}

/**
 * Notes on verdicts about images that rest on the previous database that they hold for the next one just as well: those
 * judged until a moment before `affected` was looked up, on other inventories. Not where the policy limits the age of the
 * database, since there the next one alone may change the verdict. The rest is renewed when it is asked for.
 */
export async function noteUnchanged(
  db: Db,
  policies: PolicySource,
  change: {
    readonly previous: string;
    readonly next: string;
    readonly affected: ReadonlySet<string>;
    /** Epoch ms. */
    readonly until: number;
  },
): Promise<void> {
  const repositories = await db.selectFrom('repositories').select(['id', 'project_id']).execute();
  for (const { id, project_id } of repositories) {
    const { policy } = await policies.effectivePolicy(project_id);
    if (policy.advisoryAge.days !== null) continue;
    const rows = await db
      .selectFrom('verdicts as v')
      .innerJoin('images as i', 'i.digest', 'v.digest')
      .select(['v.digest', 'i.inventory_hash'])
      .where('v.repository_id', '=', id)
      .where('v.advisories', '=', change.previous)
      .execute();
    const digests = rows
      .filter((row) => row.inventory_hash !== null && !change.affected.has(row.inventory_hash))
      .map((row) => row.digest);
    for (const batch of batches(digests)) {
      await breathe();
      await db
        .updateTable('verdicts')
        .set({ advisories: change.next })
        .where('repository_id', '=', id)
        .where('digest', 'in', batch)
        .where('advisories', '=', change.previous)
        .where('judged_at', '<=', change.until)
        .execute();
    }
  }
}

async function storedReleases(db: Db): Promise<ReadonlySet<string>> {
  const rows = await db.selectFrom('inventories').select('ecosystem').distinct().execute();
  return new Set(rows.flatMap(({ ecosystem }) => ecosystem ?? []));
}

/** Inventories with packages of an ecosystem; of these names, where names are given. */
function selectHolders(db: Db, ecosystem: string, names?: readonly string[]) {
  const types = typesOf(ecosystem);
  const language = types.length > 0;
  let packages = db
    .selectFrom('packages')
    .select('id')
    .where('type', 'in', language ? types : [systemTypeOf(ecosystem) ?? '']);
  if (names)
    packages = packages.where((where) =>
      // Either may be what advisories are filed under; one package too many costs little, one too few would be missed.
      where.or([where('lookup_name', 'in', names), ...(language ? [] : [where('source_name', 'in', names)])]),
    );
  // Lists within lists: each inventory is looked at once, however many of the packages it holds.
  const holders = db
    .selectFrom('inventories')
    .select('hash')
    .where(
      'hash',
      'in',
      db.selectFrom('inventory_packages').select('inventory_hash').where('package_id', 'in', packages),
    );
  // Packages of the distribution belong to its release; the others to an ecosystem of their own.
  return language ? holders : holders.where('ecosystem', '=', ecosystem);
}

/** Inventories of a distribution's release with any package of it: the first that is found settles it. */
function selectOfRelease(db: Db, ecosystem: string) {
  return db
    .selectFrom('inventories as i')
    .select('i.hash')
    .where('i.ecosystem', '=', ecosystem)
    .where((where) =>
      where.exists(
        where
          .selectFrom('inventory_packages as ip')
          .innerJoin('packages as p', 'p.id', 'ip.package_id')
          .select('p.id')
          .whereRef('ip.inventory_hash', '=', 'i.hash')
          .where('p.type', '=', systemTypeOf(ecosystem) ?? ''),
      ),
    );
}

/** Names by what stored inventories are found by: products of one distribution release are one. */
function byEcosystem(keys: Iterable<AdvisoryKey>): Map<string, Set<string>> {
  const names = new Map<string, Set<string>>();
  for (const { ecosystem, name } of keys) {
    const release = releaseKey(ecosystem);
    const known = names.get(release);
    if (known) known.add(name);
    else names.set(release, new Set([name]));
  }
  return names;
}
