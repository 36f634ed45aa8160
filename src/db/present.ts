import type { Db } from './database.ts';

/** Content of a repository. */
export interface Placed {
  readonly repositoryId: string;
  readonly digest: string;
}

/** Those of these that are there, all of one repository; for a `statementOfRows`. */
export function selectPresent(db: Db, table: 'repository_blobs' | 'manifests', rows: readonly Placed[]) {
  return db
    .selectFrom(table)
    .select('digest')
    .where('repository_id', '=', rows[0]?.repositoryId ?? '')
    .where(
      'digest',
      'in',
      rows.map(({ digest }) => digest),
    );
}
