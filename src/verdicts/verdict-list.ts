import type { Db } from '../db/database.ts';
import type { Verdict, VerdictKind } from '../model/verdict.ts';
import { type Digest, parseDigest } from '../oci/digest.ts';
import type { ManifestKind } from '../registry/ports.ts';

/** A kept verdict in a list. */
export interface ListedVerdict {
  /** Full name, `front/alpine`. */
  readonly repository: string;
  readonly digest: Digest;
  readonly manifest: ManifestKind;
  readonly verdict: Verdict;
}

export interface VerdictQuery {
  readonly projectId?: string;
  readonly kind?: VerdictKind;
  /** The last one already seen. */
  readonly after?: { readonly repository: string; readonly digest: Digest };
  readonly limit: number;
}

/**
 * Kept verdicts on what is stored, by repository and digest. As they were last computed: one that a new database has overtaken is
 * renewed when it is asked for by name.
 */
export async function listVerdicts(db: Db, query: VerdictQuery): Promise<ListedVerdict[]> {
  let select = db
    .selectFrom('verdicts as v')
    .innerJoin('repositories as r', 'r.id', 'v.repository_id')
    .innerJoin('manifests as m', (join) =>
      join.onRef('m.repository_id', '=', 'v.repository_id').onRef('m.digest', '=', 'v.digest'),
    )
    .select(['r.name', 'v.digest', 'm.kind', 'v.document', 'v.advisories'])
    .orderBy('r.name')
    .orderBy('v.digest')
    .limit(query.limit);
  if (query.projectId !== undefined) select = select.where('r.project_id', '=', query.projectId);
  if (query.kind !== undefined) select = select.where('v.kind', '=', query.kind);
  const { after } = query;
  if (after)
    select = select.where((where) =>
      where.or([
        where('r.name', '>', after.repository),
        where.and([where('r.name', '=', after.repository), where('v.digest', '>', after.digest)]),
      ]),
    );
  return (await select.execute()).map((row) => ({
    repository: row.name,
    digest: parseDigest(row.digest),
    manifest: row.kind as ManifestKind,
    verdict: readDocument(row),
  }));
}

/** The verdict of a row. A database that changed nothing for the image is noted in the row alone; it rests on it as well. */
export function readDocument(row: { readonly document: string; readonly advisories: string }): Verdict {
  const verdict = JSON.parse(row.document) as Verdict;
  return { ...verdict, inputs: { ...verdict.inputs, advisories: row.advisories } };
}
