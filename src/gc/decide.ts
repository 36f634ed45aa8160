import { isRunning } from '../cluster/running.ts';
import type { Db } from '../db/database.ts';
import type { Review } from '../registry/reviews.ts';

/** What is to become of something: deleted, left alone for good (a change brings it back), or looked at again later. */
export type Decision =
  | { readonly kind: 'delete'; readonly bytes: number }
  | { readonly kind: 'keep' }
  | { readonly kind: 'later'; readonly notBefore: number };

const DAY_MS = 86_400_000;
/** A signature or SBOM may come before its subject, which may also be pushed again. */
const SUBJECT_GRACE_MS = 7 * DAY_MS;
const KEEP: Decision = { kind: 'keep' };

/** Decides about one review from what the database says now. Reads only. */
export async function decide(db: Db, review: Review & { readonly changedAt: number }, now: number): Promise<Decision> {
  switch (review.kind) {
    case 'manifest':
      return decideManifest(db, review, now);
    case 'link':
      return decideLink(db, review);
    case 'blob':
      return decideBlob(db, review.digest);
  }
}

/** Deleted only where the project says so, and when neither tag, index, subject nor a running container keeps it. */
async function decideManifest(
  db: Db,
  { repositoryId, digest, changedAt }: Review & { readonly changedAt: number },
  now: number,
): Promise<Decision> {
  const manifest = await db
    .selectFrom('manifests as m')
    .innerJoin('repositories as r', 'r.id', 'm.repository_id')
    .innerJoin('projects as p', 'p.id', 'r.project_id')
    .leftJoin('upstreams as u', 'u.project_id', 'p.id')
    .where('m.repository_id', '=', repositoryId)
    .where('m.digest', '=', digest)
    .where('p.delete_untagged', '=', 1)
    // What a mirror pulled by digest has no tag either, and is fetched again at once.
    .where('u.project_id', 'is', null)
    .select(['m.size', 'm.subject'])
    .executeTakeFirst();
  if (!manifest || (await isNamed(db, repositoryId, digest))) return KEEP;
  if (manifest.subject !== null) {
    if (await isStored(db, repositoryId, manifest.subject)) return KEEP;
    if (changedAt + SUBJECT_GRACE_MS > now) return { kind: 'later', notBefore: changedAt + SUBJECT_GRACE_MS };
  }
  if (await isRunning(db, digest, now)) return { kind: 'later', notBefore: now + DAY_MS };
  return { kind: 'delete', bytes: manifest.size };
}

async function isNamed(db: Db, repositoryId: string, digest: string): Promise<boolean> {
  const tag = db
    .selectFrom('tags')
    .select('digest')
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .limit(1);
  return (await tag.executeTakeFirst()) !== undefined || isChild(db, repositoryId, digest);
}

async function isChild(db: Db, repositoryId: string, digest: string): Promise<boolean> {
  const parent = await db
    .selectFrom('manifest_children')
    .select('parent_digest')
    .where('child_digest', '=', digest)
    .where('repository_id', '=', repositoryId)
    .limit(1)
    .executeTakeFirst();
  return parent !== undefined;
}

async function isStored(db: Db, repositoryId: string, digest: string): Promise<boolean> {
  const manifest = await db
    .selectFrom('manifests')
    .select('digest')
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .executeTakeFirst();
  return manifest !== undefined;
}

/** A blob leaves a repository when no manifest there refers to it. */
async function decideLink(db: Db, { repositoryId, digest }: Review): Promise<Decision> {
  const link = await db
    .selectFrom('repository_blobs')
    .select('digest')
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .executeTakeFirst();
  if (!link) return KEEP;
  const user = await db
    .selectFrom('manifest_blobs')
    .select('manifest_digest')
    .where('blob_digest', '=', digest)
    .where('repository_id', '=', repositoryId)
    .limit(1)
    .executeTakeFirst();
  // The indexes of BuildKit's caches list blobs.
  if (user || (await isChild(db, repositoryId, digest))) return KEEP;
  return { kind: 'delete', bytes: 0 };
}

/** A blob is given up when no repository has it. */
async function decideBlob(db: Db, digest: string): Promise<Decision> {
  const blob = await db
    .selectFrom('blobs as b')
    .leftJoin('repository_blobs as l', 'l.digest', 'b.digest')
    .where('b.digest', '=', digest)
    .where('b.withheld_at', 'is', null)
    .select(['b.size', 'l.repository_id'])
    .limit(1)
    .executeTakeFirst();
  return !blob || blob.repository_id !== null ? KEEP : { kind: 'delete', bytes: blob.size };
}
