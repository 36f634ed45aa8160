import type { Db } from '../db/database.ts';
import type { Digest } from '../oci/digest.ts';
import type { ReferrerDescriptor } from './ports.ts';

/** Entries and bytes of annotations in one page: a reply stays below the size limit of manifests. */
const MOST_ENTRIES = 100;
const MOST_BYTES = 3 * 1024 * 1024;

export interface ReferrersPage {
  readonly descriptors: readonly ReferrerDescriptor[];
  /** Where the following page begins, if any. */
  readonly next?: string;
}

/** Manifests of a repository whose subject is `subject`, by digest. */
export async function listReferrers(
  db: Db,
  wanted: {
    readonly repository: string;
    readonly subject: Digest;
    readonly artifactType?: string | undefined;
    readonly after: string;
    readonly limit: number;
  },
): Promise<ReferrersPage> {
  const limit = Math.min(wanted.limit, MOST_ENTRIES);
  let query = db
    .selectFrom('repositories as r')
    .innerJoin('manifests as m', 'm.repository_id', 'r.id')
    .where('r.name', '=', wanted.repository)
    .where('m.subject', '=', wanted.subject)
    .where('m.digest', '>', wanted.after)
    .select(['m.digest', 'm.media_type', 'm.size', 'm.artifact_type', 'm.annotations'])
    .orderBy('m.digest')
    .limit(limit + 1);
  if (wanted.artifactType !== undefined) query = query.where('m.artifact_type', '=', wanted.artifactType);
  const rows = await query.execute();
  return pageOf(
    rows.map((row) => ({
      mediaType: row.media_type,
      digest: row.digest,
      size: row.size,
      ...(row.artifact_type === null ? {} : { artifactType: row.artifact_type }),
      ...(row.annotations === null ? {} : { annotations: JSON.parse(row.annotations) as Record<string, string> }),
    })),
    limit,
  );
}

/** A page of a list that another registry gave. */
export function pageOfList(
  list: readonly ReferrerDescriptor[],
  wanted: { readonly artifactType?: string | undefined; readonly after: string; readonly limit: number },
): ReferrersPage {
  const matching = list
    .filter(({ digest }) => digest > wanted.after)
    .filter(({ artifactType }) => wanted.artifactType === undefined || artifactType === wanted.artifactType)
    .sort((a, b) => (a.digest < b.digest ? -1 : 1));
  return pageOf(matching, Math.min(wanted.limit, MOST_ENTRIES));
}

/** The first of the given, as many as fit in a reply. */
function pageOf(found: readonly ReferrerDescriptor[], limit: number): ReferrersPage {
  const descriptors: ReferrerDescriptor[] = [];
  let bytes = 0;
  for (const descriptor of found) {
    bytes += descriptor.annotations ? JSON.stringify(descriptor.annotations).length : 0;
    const full = descriptors.length >= limit || (descriptors.length > 0 && bytes > MOST_BYTES);
    const last = descriptors.at(-1);
    if (full) return last ? { descriptors, next: last.digest } : { descriptors };
    descriptors.push(descriptor);
  }
  return { descriptors };
}
