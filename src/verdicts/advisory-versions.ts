import type { Db } from '../db/database.ts';
import type { AdvisoryDatabase } from '../scanner/advisories/types.ts';

/** Keeps which advisory databases judged here, since when and who brought them; a version counts from its first import on. */
export async function noteAdvisoryVersion(
  db: Db,
  { version, builtAt, sources }: Pick<AdvisoryDatabase, 'version' | 'builtAt' | 'sources'>,
  imported: { readonly by: string; readonly at: number },
): Promise<void> {
  await db
    .insertInto('advisory_versions')
    .values({
      version,
      built_at: Date.parse(builtAt),
      imported_at: imported.at,
      imported_by: imported.by,
      sources: JSON.stringify(sources),
    })
    .onConflict((conflict) => conflict.column('version').doNothing())
    .execute();
}
