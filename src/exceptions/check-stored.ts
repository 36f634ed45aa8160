import type { Db } from '../db/database.ts';
import type { PackageType } from '../model/inventory.ts';
import { ExceptionError } from './errors.ts';
import { EVERY_PROJECT } from './exception.ts';
import type { Place } from './exception-rows.ts';

const MOST_NAMED = 10;

/** Names of the projects that may be looked into. */
export type Readable = 'all' | ReadonlySet<string>;

/**
 * The type of a package by its own or its source's name; undefined when none is stored in those projects, or several of different
 * types.
 */
export async function typeOfPackage(db: Db, name: string, projects: Readable): Promise<PackageType | undefined> {
  const rows = await storedIn(db, projects)
    .select('k.type')
    .distinct()
    .where((where) => where.or([where('k.name', '=', name), where('k.source_name', '=', name)]))
    .limit(2)
    .execute();
  return rows.length === 1 ? (rows[0]?.type as PackageType) : undefined;
}

/** Packages of images in these projects. */
export function storedIn(db: Db, projects: Readable) {
  const packages = db.selectFrom('packages as k');
  if (projects === 'all') return packages;
  return packages.where((where) =>
    where.exists(
      where
        .selectFrom('inventory_packages as c')
        .innerJoin('images as i', 'i.inventory_hash', 'c.inventory_hash')
        .innerJoin('manifests as m', 'm.digest', 'i.digest')
        .innerJoin('repositories as r', 'r.id', 'm.repository_id')
        .innerJoin('projects as p', 'p.id', 'r.project_id')
        .select('c.package_id')
        .whereRef('c.package_id', '=', 'k.id')
        // Without any of them there is nothing.
        .where('p.name', 'in', projects.size === 0 ? [''] : [...projects]),
    ),
  );
}

/**
 * Refuses the digest of an index: its images are judged one by one, so an exception that names it would concern none of them. Throws
 * `ExceptionError('exception_invalid')` that names the images.
 */
export async function checkDigest(
  db: Db,
  place: Place & { readonly readable: Readable },
  digest: string | undefined,
): Promise<void> {
  if (digest === undefined) return;
  let select = db
    .selectFrom('manifests as m')
    .innerJoin('repositories as r', 'r.id', 'm.repository_id')
    .innerJoin('manifest_children as c', (join) =>
      join.onRef('c.repository_id', '=', 'm.repository_id').onRef('c.parent_digest', '=', 'm.digest'),
    )
    .select(['c.child_digest', 'c.platform'])
    .distinct()
    .where('m.digest', '=', digest)
    .where('m.kind', '=', 'index')
    .limit(MOST_NAMED);
  if (place.id !== EVERY_PROJECT) select = select.where('r.project_id', '=', place.id);
  else if (place.readable !== 'all') {
    const names = [...place.readable];
    if (names.length === 0) return;
    select = select.where('r.project_id', 'in', (eb) =>
      eb.selectFrom('projects').select('id').where('name', 'in', names),
    );
  }
  const children = await select.execute();
  if (children.length === 0) return;
  const named = children.map(({ child_digest, platform }) => `${child_digest}${platform ? ` (${platform})` : ''}`);
  throw new ExceptionError(
    'exception_invalid',
    `${digest} is an index of several images, which are judged one by one; name the image: ${named.join(', ')}`,
  );
}
