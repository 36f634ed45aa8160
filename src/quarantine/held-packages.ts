import { type SqlBool, sql } from 'kysely';
import { batches } from '../db/batches.ts';
import type { Db } from '../db/database.ts';
import { type HeldPackage, means, type PackageTarget, searchedPiece } from './target.ts';

/** A package that an image holds. */
export interface Held {
  /** Of the image's manifest. */
  readonly digest: string;
  readonly pkg: HeldPackage;
}

const MANIFESTS = 100;
/** More names than this are not searched for by the database. */
const MOST_SEARCHED = 50;
const PACKAGES = 1000;

/** The packages of these images that any of the targets may mean. Images that were not analysed hold none that are known. */
export async function packagesOf(
  db: Db,
  digests: readonly string[],
  targets: readonly PackageTarget[],
): Promise<readonly Held[]> {
  const held: Held[] = [];
  for (const batch of batches([...new Set(digests)], MANIFESTS)) {
    const rows = await db
      .selectFrom('images as i')
      .innerJoin('inventory_packages as c', 'c.inventory_hash', 'i.inventory_hash')
      .innerJoin('packages as p', 'p.id', 'c.package_id')
      .select(['i.digest', 'p.purl', 'p.name', 'p.version', 'p.source_name', 'p.source_version'])
      .where('i.digest', 'in', batch)
      .where(mayBe(targets))
      .execute();
    held.push(...rows.map((row) => ({ digest: row.digest, pkg: asHeld(row) })));
  }
  return held;
}

/** Digests of the analysed images that hold a package the target means. Reads each package of its type once, and no image. */
export async function imagesHolding(db: Db, target: PackageTarget): Promise<readonly string[]> {
  const ids: number[] = [];
  for (let after = 0; ; ) {
    const rows = await db
      .selectFrom('packages as p')
      .select(['p.id', 'p.purl', 'p.name', 'p.version', 'p.source_name', 'p.source_version'])
      .where('p.id', '>', after)
      .where(mayBe([target]))
      .orderBy('p.id')
      .limit(PACKAGES)
      .execute();
    for (const row of rows) if (means(target, asHeld(row))) ids.push(row.id);
    const last = rows.at(-1);
    if (!last || rows.length < PACKAGES) break;
    after = last.id;
  }
  const digests = new Set<string>();
  for (const batch of batches(ids)) {
    const rows = await db
      .selectFrom('images as i')
      .innerJoin('inventory_packages as c', 'c.inventory_hash', 'i.inventory_hash')
      .select('i.digest')
      .distinct()
      .where('c.package_id', 'in', batch)
      .execute();
    for (const { digest } of rows) digests.add(digest);
  }
  return [...digests];
}

/** Narrows packages down to those worth reading: of the types, and with a piece of the names in them. */
function mayBe(targets: readonly PackageTarget[]) {
  const types = [...new Set(targets.map(({ type }) => type))];
  const pieces = [...new Set(targets.map(searchedPiece))];
  const ofType = sql<SqlBool>`p.type in (${sql.join(types)})`;
  if (pieces.length > MOST_SEARCHED || pieces.includes('')) return ofType;
  const named = pieces.map((piece) => {
    const pattern = `%${piece}%`;
    return sql<SqlBool>`lower(p.purl) like ${pattern} or lower(p.source_name) like ${pattern}`;
  });
  return sql<SqlBool>`${ofType} and (${sql.join(named, sql` or `)})`;
}

function asHeld(row: {
  readonly purl: string;
  readonly name: string;
  readonly version: string;
  readonly source_name: string | null;
  readonly source_version: string | null;
}): HeldPackage {
  const { purl, name, version, source_name: source } = row;
  return {
    purl,
    name,
    version,
    ...(source === null ? {} : { source: { name: source, version: row.source_version ?? '' } }),
  };
}
