import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { Distribution, Inventory, Package } from '../model/inventory.ts';
import { batches } from './batches.ts';
import { asPackage } from './inventory-store.ts';

/** Package rows kept: registries hold the same packages in image after image. */
const KEPT = 100_000;

/** Stored packages by row, without a place. */
export type PackageCache = Map<number, Package>;

/**
 * Inventories as far as verdicts depend on them: without the places of packages, and without gaps. Those that are not stored
 * are left out. Two statements for all, and one for packages not seen before.
 */
export async function loadForJudging(
  db: Db,
  hashes: readonly string[],
  cache: PackageCache,
): Promise<ReadonlyMap<string, Inventory>> {
  const found = new Map<string, Inventory>();
  if (hashes.length === 0) return found;
  const rows = await db.selectFrom('inventories').selectAll().where('hash', 'in', hashes).execute();
  const lists = await db
    .selectFrom('inventory_packages')
    .select(['inventory_hash', sql<string>`string_agg(cast(package_id as text), ',')`.as('ids')])
    .where('inventory_hash', 'in', hashes)
    .groupBy('inventory_hash')
    .execute();
  const idsOf = new Map(lists.map(({ inventory_hash, ids }) => [inventory_hash, new Set(ids.split(',').map(Number))]));
  await fetchPackages(db, idsOf.values(), cache);
  for (const row of rows) {
    const ids = [...(idsOf.get(row.hash) ?? [])];
    found.set(row.hash, {
      analyser: row.analyser,
      ...(row.distribution === null ? {} : { distribution: JSON.parse(row.distribution) as Distribution }),
      packages: ids.flatMap((id) => cache.get(id) ?? []),
      gaps: row.complete === 1 ? [] : (JSON.parse(row.gaps) as Inventory['gaps']),
      complete: row.complete === 1,
    });
  }
  return found;
}

async function fetchPackages(db: Db, lists: Iterable<ReadonlySet<number>>, cache: PackageCache): Promise<void> {
  const wanted = new Set<number>();
  for (const ids of lists) for (const id of ids) wanted.add(id);
  if (cache.size + wanted.size > KEPT) cache.clear();
  const missing = [...wanted].filter((id) => !cache.has(id));
  for (const batch of batches(missing))
    for (const row of await db.selectFrom('packages').selectAll().where('id', 'in', batch).execute())
      cache.set(row.id, asPackage({ ...row, path: '', layer: null }));
}
