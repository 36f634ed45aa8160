import type { Db } from '../db/database.ts';

/** An image as somebody pulled it: a manifest that no index lists, with everything below it. */
export interface Copy {
  readonly repositoryId: string;
  readonly digest: string;
  /** Its own, and those of all manifests below it. */
  readonly digests: readonly string[];
  /** When it, or anything below it, was pulled last, or fetched since. */
  readonly usedAt: number;
}

/** What a mirror project holds, copy by copy. */
export interface MirroredCopies {
  /** Bytes of everything that a copy which was not given up refers to. */
  bytes(): number;
  leastUsedFirst(): readonly Copy[];
  /** Gives a copy up; gives the manifests of its repository that nothing else there lists. */
  giveUp(copy: Copy): readonly string[];
}

interface Manifest {
  readonly repositoryId: string;
  readonly digest: string;
  readonly size: number;
  usedAt: number;
  /** Of what is stored here. */
  readonly blobs: { readonly digest: string; readonly size: number }[];
  readonly children: string[];
  /** Indexes above it that are still there. */
  parents: number;
}

/** Reads the copies of a project. Manifests of an upstream are as many as were pulled, so they are looked at together. */
export async function liveCopies(db: Db, projectId: string): Promise<MirroredCopies> {
  const manifests = await readManifests(db, projectId);
  const holders = new Map<string, { count: number; readonly size: number }>();
  let bytes = 0;

  function count(key: string, size: number, by: 1 | -1): void {
    const holder = holders.get(key) ?? { count: 0, size };
    holders.set(key, holder);
    holder.count += by;
    if (by === 1 && holder.count === 1) bytes += size;
    if (by === -1 && holder.count === 0) bytes -= holder.size;
  }
  function countAll(manifest: Manifest, by: 1 | -1): void {
    count(`manifest ${manifest.digest}`, manifest.size, by);
    for (const blob of manifest.blobs) count(`blob ${blob.digest}`, blob.size, by);
  }
  for (const manifest of manifests.values()) countAll(manifest, 1);
  const copies = [...manifests.values()]
    .filter(({ parents }) => parents === 0)
    .map((manifest) => copyOf(manifests, manifest))
    .sort((a, b) => a.usedAt - b.usedAt || (a.digest < b.digest ? -1 : 1));

  return {
    bytes: () => bytes,
    leastUsedFirst: () => copies,
    giveUp({ repositoryId, digest }) {
      const leaving: string[] = [];
      const waiting = [digest];
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const manifest = manifests.get(keyOf(repositoryId, next));
        if (!manifest || manifest.parents > 0) continue;
        manifests.delete(keyOf(repositoryId, next));
        leaving.push(next);
        countAll(manifest, -1);
        for (const child of manifest.children) {
          const below = manifests.get(keyOf(repositoryId, child));
          if (below) below.parents -= 1;
          waiting.push(child);
        }
      }
      return leaving;
    },
  };
}

function copyOf(manifests: ReadonlyMap<string, Manifest>, top: Manifest): Copy {
  const digests = new Set([top.digest]);
  let { usedAt } = top;
  // A set visits what is added while it is being walked.
  for (const digest of digests) {
    const manifest = manifests.get(keyOf(top.repositoryId, digest));
    usedAt = Math.max(usedAt, manifest?.usedAt ?? 0);
    for (const child of manifest?.children ?? []) digests.add(child);
  }
  return { repositoryId: top.repositoryId, digest: top.digest, digests: [...digests], usedAt };
}

async function readManifests(db: Db, projectId: string): Promise<Map<string, Manifest>> {
  const rows = await db
    .selectFrom('manifests as m')
    .innerJoin('repositories as r', 'r.id', 'm.repository_id')
    .leftJoin('manifest_pulls as p', (join) =>
      join.onRef('p.repository_id', '=', 'm.repository_id').onRef('p.digest', '=', 'm.digest'),
    )
    .select(['m.repository_id', 'm.digest', 'm.size', 'm.created_at', 'p.pulled_at'])
    .where('r.project_id', '=', projectId)
    .execute();
  const manifests = new Map<string, Manifest>(
    rows.map(({ repository_id: repositoryId, digest, size, created_at, pulled_at }) => [
      keyOf(repositoryId, digest),
      { repositoryId, digest, size, usedAt: Math.max(created_at, pulled_at ?? 0), blobs: [], children: [], parents: 0 },
    ]),
  );
  const blobs = await db
    .selectFrom('manifest_blobs as m')
    .innerJoin('repositories as r', 'r.id', 'm.repository_id')
    .innerJoin('repository_blobs as l', (join) =>
      join.onRef('l.repository_id', '=', 'm.repository_id').onRef('l.digest', '=', 'm.blob_digest'),
    )
    .innerJoin('blobs as b', 'b.digest', 'l.digest')
    .select(['m.repository_id', 'm.manifest_digest', 'b.digest', 'b.size'])
    .distinct()
    .where('r.project_id', '=', projectId)
    .execute();
  for (const { repository_id, manifest_digest, digest, size } of blobs)
    manifests.get(keyOf(repository_id, manifest_digest))?.blobs.push({ digest, size });
  const children = await db
    .selectFrom('manifest_children as c')
    .innerJoin('repositories as r', 'r.id', 'c.repository_id')
    .select(['c.repository_id', 'c.parent_digest', 'c.child_digest'])
    .distinct()
    .where('r.project_id', '=', projectId)
    .execute();
  for (const { repository_id, parent_digest, child_digest } of children) {
    const [parent, child] = [parent_digest, child_digest].map((digest) => manifests.get(keyOf(repository_id, digest)));
    if (!parent || !child) continue;
    parent.children.push(child_digest);
    child.parents += 1;
  }
  return manifests;
}

function keyOf(repositoryId: string, digest: string): string {
  return `${repositoryId} ${digest}`;
}
