import type { Db } from '../db/database.ts';
import { statement } from '../db/statement.ts';
import { type Digest, parseDigest } from '../oci/digest.ts';
import { isTag } from '../oci/reference.ts';
import type { ManifestKind } from '../registry/ports.ts';

/** A stored manifest that has, or is to have, a verdict. */
export interface Subject {
  readonly repositoryId: string;
  /** Full name, `front/alpine`. */
  readonly repository: string;
  readonly projectId: string;
  readonly digest: Digest;
  readonly kind: ManifestKind;
  readonly artifactType?: string;
}

/** Its identity as a key of maps and jobs. */
export function subjectKey({ repositoryId, digest }: Pick<Subject, 'repositoryId' | 'digest'>): string {
  return `${repositoryId} ${digest}`;
}

/** The subject of that digest in a repository; undefined when it is not stored there (any more). */
export async function findSubject(db: Db, repositoryId: string, digest: Digest): Promise<Subject | undefined> {
  const [row] = (await selectSubject(db, { repositoryId, digest })).rows;
  return row && asSubject(row);
}

const selectSubject = statement((db, { repositoryId, digest }: Pick<Subject, 'repositoryId' | 'digest'>) =>
  selectSubjects(db).where('m.repository_id', '=', repositoryId).where('m.digest', '=', digest),
);

/** The query every list of subjects is narrowed from. */
export function selectSubjects(db: Db) {
  return db
    .selectFrom('manifests as m')
    .innerJoin('repositories as r', 'r.id', 'm.repository_id')
    .select(['m.repository_id', 'm.digest', 'm.kind', 'm.artifact_type', 'r.name', 'r.project_id']);
}

interface SubjectRow {
  readonly repository_id: string;
  readonly digest: string;
  readonly kind: string;
  readonly artifact_type: string | null;
  readonly name: string;
  readonly project_id: string;
}

export function asSubject(row: SubjectRow): Subject {
  return {
    repositoryId: row.repository_id,
    repository: row.name,
    projectId: row.project_id,
    digest: parseDigest(row.digest),
    kind: row.kind as ManifestKind,
    ...(row.artifact_type === null ? {} : { artifactType: row.artifact_type }),
  };
}

/** How people call a manifest: by the tag it was asked for, else its newest tag, else its digest. */
export async function imageName(
  db: Db,
  {
    repositoryId,
    repository,
    digest,
    reference,
  }: Omit<Subject, 'projectId' | 'kind'> & { readonly reference?: string },
): Promise<string> {
  if (reference !== undefined && isTag(reference)) return `${repository}:${reference}`;
  const tag = await db
    .selectFrom('tags')
    .select('name')
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .orderBy('updated_at', 'desc')
    .orderBy('name')
    .limit(1)
    .executeTakeFirst();
  return tag ? `${repository}:${tag.name}` : `${repository}@${digest}`;
}
