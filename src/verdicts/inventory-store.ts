import { batches } from '../db/batches.ts';
import type { Db, Tx } from '../db/database.ts';
import type { NewRow, Row } from '../db/schema.ts';
import { statement, statementOfRows } from '../db/statement.ts';
import type { CoverageGap, Distribution, Inventory, InventoryLayer, Package } from '../model/inventory.ts';
import { canonicalHash, compareText } from '../oci/canonical.ts';
import { type Digest, parseDigest } from '../oci/digest.ts';
import { lookupName } from '../scanner/matcher/advised-names.ts';
import { distributionEcosystem, releaseKey } from '../scanner/matcher/ecosystem.ts';

/**
 * Keeps an inventory under its hash; packages that others have too are stored once. Keeping it again changes nothing. Gives it as
 * `loadInventory` will; undefined when it was there already.
 */
export async function saveInventory(
  tx: Tx,
  hash: string,
  inventory: Inventory,
  now: number,
): Promise<Inventory | undefined> {
  const known = await selectHash(tx, { hash });
  if (known.rows.length > 0) return undefined;
  const identities = inventory.packages.map(identityOf);
  const ids = await packageIds(tx, new Map(identities.map((identity, at) => [identity, inventory.packages[at]])));
  const rows = inventory.packages.map((pkg, at) => ({
    inventory_hash: hash,
    package_id: ids.get(identities[at] ?? '') ?? 0,
    path: pkg.path,
    layer: pkg.layer ?? null,
  }));
  for (const batch of batches(rows)) await insertPlaces(tx, batch);
  await insertInventory(tx, {
    hash,
    analyser: inventory.analyser,
    ecosystem: releaseKey(distributionEcosystem(inventory.distribution) ?? '') || null,
    distribution: inventory.distribution ? JSON.stringify(inventory.distribution) : null,
    gaps: JSON.stringify(inventory.gaps),
    layers: inventory.layers ? JSON.stringify(inventory.layers) : null,
    package_ids: [...new Set(rows.map((row) => row.package_id))].join(','),
    complete: inventory.complete ? 1 : 0,
    created_at: now,
  });
  return asKept(inventory, identities);
}

const selectHash = statement((db, { hash }: { readonly hash: string }) =>
  db.selectFrom('inventories').select('hash').where('hash', '=', hash),
);

const insertPlaces = statementOfRows((db, rows: readonly NewRow<'inventory_packages'>[]) =>
  db
    .insertInto('inventory_packages')
    .values(rows.map(({ inventory_hash, package_id, path, layer }) => ({ inventory_hash, package_id, path, layer })))
    .onConflict((conflict) => conflict.doNothing()),
);

const insertInventory = statement((db, row: NewRow<'inventories'>) =>
  db
    .insertInto('inventories')
    .values({
      hash: row.hash,
      analyser: row.analyser,
      ecosystem: row.ecosystem,
      distribution: row.distribution,
      gaps: row.gaps,
      layers: row.layers,
      package_ids: row.package_ids,
      complete: row.complete,
      created_at: row.created_at,
    })
    .onConflict((conflict) => conflict.doNothing()),
);

/** What is read again once an inventory is stored: the same package in the same place is there once, that of the lowest layer named first. */
function asKept(inventory: Inventory, identities: readonly string[]): Inventory {
  const packages = new Map<string, Package>();
  for (const [at, pkg] of inventory.packages.entries()) {
    const place = `${identities[at]} ${pkg.path}`;
    const row = packages.has(place) ? undefined : asRow(identities[at] ?? '', pkg);
    if (row) packages.set(place, asPackage({ ...row, id: 0, path: pkg.path, layer: pkg.layer ?? null }));
  }
  return { ...inventory, packages: [...packages.values()].sort(comparePackages) };
}

/** The inventory kept under a hash, packages sorted by type, name, version and path; undefined when there is none. */
export async function loadInventory(db: Db, hash: string): Promise<Inventory | undefined> {
  const [row] = (await selectInventory(db, { hash })).rows;
  if (!row) return undefined;
  const { rows: packages } = await selectPackages(db, { hash });
  return {
    analyser: row.analyser,
    ...(row.distribution === null ? {} : { distribution: JSON.parse(row.distribution) as Distribution }),
    packages: packages.map(asPackage).sort(comparePackages),
    gaps: JSON.parse(row.gaps) as CoverageGap[],
    ...(row.layers === null ? {} : { layers: JSON.parse(row.layers) as InventoryLayer[] }),
    complete: row.complete === 1,
  };
}

const selectInventory = statement((db, { hash }: { readonly hash: string }) =>
  db.selectFrom('inventories').selectAll().where('hash', '=', hash),
);

const selectPackages = statement((db, { hash }: { readonly hash: string }) =>
  db
    .selectFrom('inventory_packages as i')
    .innerJoin('packages as p', 'p.id', 'i.package_id')
    .selectAll('p')
    .select(['i.path', 'i.layer'])
    .where('i.inventory_hash', '=', hash),
);

/** Ids of the package rows by identity; missing rows are made. Sorted, so that two pushes take their locks in one order. */
async function packageIds(tx: Tx, rows: ReadonlyMap<string, Package | undefined>): Promise<Map<string, number>> {
  const identities = [...rows.keys()].sort();
  const ids = await knownIds(tx, identities);
  const missing = identities.filter((identity) => !ids.has(identity));
  for (const batch of batches(missing))
    await tx
      .insertInto('packages')
      .values(batch.flatMap((identity) => asRow(identity, rows.get(identity)) ?? []))
      .onConflict((conflict) => conflict.column('identity').doNothing())
      .execute();
  for (const [identity, id] of await knownIds(tx, missing)) ids.set(identity, id);
  return ids;
}

async function knownIds(tx: Tx, identities: readonly string[]): Promise<Map<string, number>> {
  const ids = new Map<string, number>();
  for (const batch of batches(identities)) {
    const { rows } = await selectIds(
      tx,
      batch.map((identity) => ({ identity })),
    );
    for (const { identity, id } of rows) ids.set(identity, id);
  }
  return ids;
}

const selectIds = statementOfRows((db, rows: readonly { readonly identity: string }[]) =>
  db
    .selectFrom('packages')
    .select(['identity', 'id'])
    .where(
      'identity',
      'in',
      rows.map(({ identity }) => identity),
    ),
);

/** Everything about a package but where it was found. */
function identityOf({ path: _path, layer: _layer, ...facts }: Package): string {
  return canonicalHash(facts);
}

function asRow(identity: string, pkg: Package | undefined): Omit<Row<'packages'>, 'id'> | undefined {
  if (!pkg) return undefined;
  return {
    identity,
    purl: pkg.purl,
    type: pkg.type,
    name: pkg.name,
    version: pkg.version,
    arch: pkg.arch ?? null,
    source_name: pkg.source?.name ?? null,
    source_version: pkg.source?.version ?? null,
    licence: pkg.licence ?? null,
    module: pkg.module ?? null,
    third_party: pkg.thirdParty ? 1 : 0,
    lookup_name: lookupName(pkg),
  };
}

/** The package of a row and where it lies. */
export function asPackage(row: Row<'packages'> & { readonly path: string; readonly layer: string | null }): Package {
  return {
    type: row.type as Package['type'],
    name: row.name,
    version: row.version,
    ...(row.arch === null ? {} : { arch: row.arch }),
    ...(row.source_name === null ? {} : { source: { name: row.source_name, version: row.source_version ?? '' } }),
    ...(row.module === null ? {} : { module: row.module }),
    ...(row.third_party === 1 ? { thirdParty: true as const } : {}),
    purl: row.purl,
    path: row.path,
    ...(row.layer === null ? {} : { layer: parseDigest(row.layer) satisfies Digest }),
    ...(row.licence === null ? {} : { licence: row.licence }),
  };
}

function comparePackages(a: Package, b: Package): number {
  return (
    compareText(a.type, b.type) ||
    compareText(a.name, b.name) ||
    compareText(a.version, b.version) ||
    compareText(a.path, b.path) ||
    compareText(a.purl, b.purl)
  );
}
