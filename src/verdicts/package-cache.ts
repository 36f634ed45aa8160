import { sql } from 'kysely';
import { batches } from '../db/batches.ts';
import type { Db } from '../db/database.ts';
import type { Distribution, Inventory } from '../model/inventory.ts';
import { type Copies, identityOf } from '../scanner/matcher/package-copies.ts';
import { asPackage } from './inventory-store.ts';

/** Package rows kept: registries hold the same packages in image after image. */
const KEPT = 100_000;
const KEPT_DISTRIBUTIONS = 1000;

/** Stored packages without a place: by row, and one for all rows of which advisories say the same. */
export interface PackageCache {
  readonly byRow: Map<number, Copies>;
  readonly byIdentity: Map<string, Copies>;
  /** Those that stand for several rows. */
  readonly severalRows: Set<Copies>;
  /** By their text: images of one distribution have the very same one. */
  readonly distributions: Map<string, Distribution>;
}

export function createPackageCache(): PackageCache {
  return { byRow: new Map(), byIdentity: new Map(), severalRows: new Set(), distributions: new Map() };
}

/** An inventory as far as verdicts depend on it: without the places of packages, and without gaps where it is complete. */
export interface JudgedInventory {
  readonly inventory: Inventory;
  /** Its packages, none of them twice. */
  readonly copies: readonly Copies[];
}

/** Inventories by hash; those not stored are left out. A statement or two for all, and one for packages not seen before. */
export async function loadForJudging(
  db: Db,
  hashes: readonly string[],
  cache: PackageCache,
): Promise<ReadonlyMap<string, JudgedInventory>> {
  const found = new Map<string, JudgedInventory>();
  if (hashes.length === 0) return found;
  const rows = await db
    .selectFrom('inventories')
    .select(['hash', 'analyser', 'distribution', 'gaps', 'package_ids', 'complete'])
    .where('hash', 'in', hashes)
    .execute();
  const idsOf = new Map<string, readonly number[]>();
  for (const { hash, package_ids } of rows) if (package_ids !== null) idsOf.set(hash, numbersOf(package_ids));
  for (const [hash, ids] of await listedIds(
    db,
    rows.flatMap(({ hash, package_ids }) => (package_ids === null ? [hash] : [])),
  ))
    idsOf.set(hash, ids);
  await fetchPackages(db, [...idsOf.values()], cache);
  for (const row of rows) {
    const copies = copiesOf(idsOf.get(row.hash) ?? [], cache);
    found.set(row.hash, {
      copies,
      inventory: {
        analyser: row.analyser,
        ...(row.distribution === null ? {} : { distribution: distributionOf(row.distribution, cache) }),
        packages: copies.map(({ pkg }) => pkg),
        gaps: row.complete === 1 ? [] : (JSON.parse(row.gaps) as Inventory['gaps']),
        complete: row.complete === 1,
      },
    });
  }
  return found;
}

function distributionOf(text: string, { distributions }: PackageCache): Distribution {
  const known = distributions.get(text) ?? (JSON.parse(text) as Distribution);
  if (distributions.size >= KEPT_DISTRIBUTIONS) distributions.clear();
  distributions.set(text, known);
  return known;
}

/** The packages of rows, each once. */
function copiesOf(ids: readonly number[], { byRow, severalRows }: PackageCache): readonly Copies[] {
  const copies: Copies[] = [];
  let again = false;
  for (const id of ids) {
    const known = byRow.get(id);
    if (known === undefined) continue;
    copies.push(known);
    again ||= severalRows.size > 0 && severalRows.has(known);
  }
  return again ? [...new Set(copies)] : copies;
}

/** Of inventories that do not list their packages in one value. */
async function listedIds(db: Db, hashes: readonly string[]): Promise<ReadonlyMap<string, readonly number[]>> {
  if (hashes.length === 0) return new Map();
  const lists = await db
    .selectFrom('inventory_packages')
    .select(['inventory_hash', sql<string>`string_agg(cast(package_id as text), ',')`.as('ids')])
    .where('inventory_hash', 'in', hashes)
    .groupBy('inventory_hash')
    .execute();
  return new Map(lists.map(({ inventory_hash, ids }) => [inventory_hash, numbersOf(ids)]));
}

function numbersOf(list: string): readonly number[] {
  return JSON.parse(`[${list}]`) as number[];
}

async function fetchPackages(db: Db, lists: readonly (readonly number[])[], cache: PackageCache): Promise<void> {
  const { byRow, byIdentity, severalRows } = cache;
  if (byRow.size > KEPT) {
    byRow.clear();
    byIdentity.clear();
    severalRows.clear();
  }
  const missing = new Set<number>();
  for (const ids of lists) for (const id of ids) if (!byRow.has(id)) missing.add(id);
  for (const batch of batches([...missing]))
    for (const row of await db.selectFrom('packages').selectAll().where('id', 'in', batch).execute()) {
      const pkg = asPackage({ ...row, path: '', layer: null });
      const identity = identityOf(pkg);
      const known = byIdentity.get(identity);
      const copies = known ?? { pkg, paths: [''] };
      if (known) severalRows.add(known);
      byIdentity.set(identity, copies);
      byRow.set(row.id, copies);
    }
}
