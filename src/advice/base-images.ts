import type { Db } from '../db/database.ts';
import { projectOf } from '../model/project-name.ts';
import { type Digest, parseDigest } from '../oci/digest.ts';
import { findSubject, type Subject } from '../verdicts/subjects.ts';

/** A stored image on which another one is built. */
export interface BaseImage {
  readonly subject: Subject;
  readonly layers: readonly Digest[];
}

/** Images that have the very same base are many; the first few that may be seen are enough. */
const MOST_LOOKED_AT = 200;
/** Other images of the base's repository that are looked at. */
const MOST_OTHERS = 40;

/**
 * The stored image whose layers are the longest beginning of these; among several the one of a mirror, then the one stored
 * first. Only those of projects that the asker may read.
 */
export async function baseOf(
  db: Db,
  layers: readonly Digest[],
  mayRead: (project: string) => boolean,
): Promise<BaseImage | undefined> {
  for (let count = layers.length - 1; count > 0; count -= 1) {
    const last = layers[count - 1];
    if (last === undefined) return undefined;
    // Its last layer is there, and none after it.
    const rows = await db
      .selectFrom('manifest_blobs as b')
      .innerJoin('repositories as r', 'r.id', 'b.repository_id')
      .innerJoin('manifests as m', (join) =>
        join.onRef('m.repository_id', '=', 'b.repository_id').onRef('m.digest', '=', 'b.manifest_digest'),
      )
      .leftJoin('upstreams as u', 'u.project_id', 'r.project_id')
      .select(['b.repository_id', 'b.manifest_digest', 'r.name', 'u.project_id as upstream', 'm.created_at'])
      .where('b.blob_digest', '=', last)
      .where('b.position', '=', count)
      .where((where) =>
        where.not(
          where.exists(
            where
              .selectFrom('manifest_blobs as c')
              .select('c.position')
              .whereRef('c.repository_id', '=', 'b.repository_id')
              .whereRef('c.manifest_digest', '=', 'b.manifest_digest')
              .where('c.position', '=', count + 1),
          ),
        ),
      )
      .orderBy('m.created_at')
      .limit(MOST_LOOKED_AT)
      .execute();
    const seen = rows
      .filter(({ name }) => mayRead(projectOf(name)))
      .sort((a, b) => Number(b.upstream !== null) - Number(a.upstream !== null) || a.created_at - b.created_at);
    for (const { repository_id, manifest_digest } of seen) {
      const digest = parseDigest(manifest_digest);
      const own = await layersOf(db, repository_id, digest);
      if (own.length !== count || own.some((layer, at) => layer !== layers[at])) continue;
      const subject = await findSubject(db, repository_id, digest);
      if (subject?.kind === 'image') return { subject, layers: own };
    }
  }
  return undefined;
}

/** Images of the base's repository that somebody can name by a tag, directly or as a platform of an index; newest first. */
export async function othersOf(db: Db, { subject }: BaseImage): Promise<readonly BaseImage[]> {
  const tagged = await db
    .selectFrom('manifests as m')
    .select(['m.digest', 'm.created_at'])
    .where('m.repository_id', '=', subject.repositoryId)
    .where('m.kind', '=', 'image')
    .where('m.digest', '<>', subject.digest)
    .where((where) =>
      where.or([
        where.exists(
          where
            .selectFrom('tags as t')
            .select('t.name')
            .whereRef('t.repository_id', '=', 'm.repository_id')
            .whereRef('t.digest', '=', 'm.digest'),
        ),
        where.exists(
          where
            .selectFrom('manifest_children as c')
            .innerJoin('tags as t', (join) =>
              join.onRef('t.repository_id', '=', 'c.repository_id').onRef('t.digest', '=', 'c.parent_digest'),
            )
            .select('t.name')
            .whereRef('c.repository_id', '=', 'm.repository_id')
            .whereRef('c.child_digest', '=', 'm.digest'),
        ),
      ]),
    )
    .orderBy('m.created_at', 'desc')
    .orderBy('m.digest')
    .limit(MOST_OTHERS)
    .execute();
  return Promise.all(
    tagged.map(async ({ digest: text }) => {
      const digest = parseDigest(text);
      return { subject: { ...subject, digest }, layers: await layersOf(db, subject.repositoryId, digest) };
    }),
  );
}

/** The name to write after `FROM`: the newest tag of the image or of an index with it, else its digest. */
export async function nameToBuildOn(db: Db, { repositoryId, repository, digest }: Subject): Promise<string> {
  const tag = await db
    .selectFrom('tags as t')
    .select('t.name')
    .where('t.repository_id', '=', repositoryId)
    .where((where) =>
      where.or([
        where('t.digest', '=', digest),
        where(
          't.digest',
          'in',
          where
            .selectFrom('manifest_children as c')
            .select('c.parent_digest')
            .where('c.repository_id', '=', repositoryId)
            .where('c.child_digest', '=', digest),
        ),
      ]),
    )
    .orderBy('t.updated_at', 'desc')
    .orderBy('t.name')
    .executeTakeFirst();
  return tag ? `${repository}:${tag.name}` : `${repository}@${digest}`;
}

async function layersOf(db: Db, repositoryId: string, digest: Digest): Promise<readonly Digest[]> {
  const rows = await db
    .selectFrom('manifest_blobs')
    .select('blob_digest')
    .where('repository_id', '=', repositoryId)
    .where('manifest_digest', '=', digest)
    .where('position', '>', 0)
    .orderBy('position')
    .execute();
  return rows.map(({ blob_digest }) => parseDigest(blob_digest));
}
