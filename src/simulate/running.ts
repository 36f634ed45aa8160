import type { SeenImage } from '../cluster/audit-store.ts';
import { batches } from '../db/batches.ts';
import type { Db } from '../db/database.ts';
import { type Digest, parseDigest } from '../oci/digest.ts';
import { normaliseRegistry, type Reference, tryParseReference } from '../oci/reference.ts';

/** A container that runs, and what its next pull asks this registry for. */
export interface Running {
  readonly seen: SeenImage;
  readonly reference?: Reference;
  /** Absent for images of other registries, and for what is not stored here. */
  readonly pulls?: { readonly repository: string; readonly repositoryId: string; readonly digest: Digest };
}

/** Finds out what containers that run would pull: what a tag names now, or the digest that they name. */
export async function resolveRunning(
  db: Db,
  hosts: readonly string[],
  seen: readonly SeenImage[],
): Promise<readonly Running[]> {
  const ours = new Set(hosts.map(normaliseRegistry));
  const read = seen.map((image) => ({ seen: image, reference: tryParseReference(image.image) }));
  const names = new Set(
    read.flatMap(({ reference }) => (reference && ours.has(reference.registry) ? [reference.repository] : [])),
  );
  const repositories = await repositoryIds(db, [...names]);
  const wanted = new Map<string, Set<string>>();
  for (const { reference } of read) {
    const id = reference && ours.has(reference.registry) ? repositories.get(reference.repository) : undefined;
    if (id === undefined || !reference || reference.digest !== undefined) continue;
    wanted.set(id, (wanted.get(id) ?? new Set()).add(reference.tag ?? 'latest'));
  }
  const tags = await digestsOfTags(db, wanted);
  return read.map(({ seen: image, reference }) => {
    if (!reference) return { seen: image };
    const repositoryId = ours.has(reference.registry) ? repositories.get(reference.repository) : undefined;
    const digest =
      reference.digest ??
      (repositoryId === undefined ? undefined : tags.get(`${repositoryId} ${reference.tag ?? 'latest'}`));
    if (repositoryId === undefined || digest === undefined) return { seen: image, reference };
    return { seen: image, reference, pulls: { repository: reference.repository, repositoryId, digest } };
  });
}

async function repositoryIds(db: Db, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const ids = new Map<string, string>();
  for (const batch of batches(names)) {
    const rows = await db.selectFrom('repositories').select(['id', 'name']).where('name', 'in', batch).execute();
    for (const { id, name } of rows) ids.set(name, id);
  }
  return ids;
}

async function digestsOfTags(
  db: Db,
  wanted: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<ReadonlyMap<string, Digest>> {
  const digests = new Map<string, Digest>();
  for (const [repositoryId, names] of wanted)
    for (const batch of batches([...names])) {
      const rows = await db
        .selectFrom('tags')
        .select(['name', 'digest'])
        .where('repository_id', '=', repositoryId)
        .where('name', 'in', batch)
        .execute();
      for (const { name, digest } of rows) digests.set(`${repositoryId} ${name}`, parseDigest(digest));
    }
  return digests;
}
