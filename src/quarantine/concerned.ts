import { batches } from '../db/batches.ts';
import type { Db } from '../db/database.ts';
import { type Digest, parseDigest } from '../oci/digest.ts';
import { imagesHolding } from './held-packages.ts';
import type { Quarantine } from './quarantine.ts';
import { readTarget } from './target.ts';

/** Indexes within indexes. */
const DEEPEST = 4;

/** Every stored manifest whose verdict may rest on a quarantine: what it names, what holds that, and the indexes above. */
export async function concernedManifests(
  db: Db,
  { digest, purl, versions }: Pick<Quarantine, 'digest' | 'purl' | 'versions'>,
): Promise<readonly Digest[]> {
  const target = readTarget(digest ?? purl ?? '', versions);
  const own = target.kind === 'digest' ? await manifestsWith(db, target.digest) : await imagesHolding(db, target);
  const all = new Set(own);
  let level: readonly string[] = own;
  for (let depth = 0; depth < DEEPEST && level.length > 0; depth += 1) {
    level = (await parentsOf(db, level)).filter((parent) => !all.has(parent));
    for (const parent of level) all.add(parent);
  }
  return [...all].map(parseDigest);
}

/** The content itself, should it be a manifest, and the manifests whose configuration or layer it is. */
async function manifestsWith(db: Db, digest: Digest): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('manifest_blobs')
    .select('manifest_digest')
    .distinct()
    .where('blob_digest', '=', digest)
    .execute();
  return [digest, ...rows.map((row) => row.manifest_digest)];
}

async function parentsOf(db: Db, children: readonly string[]): Promise<readonly string[]> {
  const parents = new Set<string>();
  for (const batch of batches(children)) {
    const rows = await db
      .selectFrom('manifest_children')
      .select('parent_digest')
      .distinct()
      .where('child_digest', 'in', batch)
      .execute();
    for (const row of rows) parents.add(row.parent_digest);
  }
  return [...parents];
}
