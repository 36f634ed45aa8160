import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';

/** Queries whose rows are the content; `meta` (build time, version) is not part of it. */
const CONTENT = [
  'select ecosystem, feed, completeness, records, newest, note from source order by ecosystem, feed',
  'select ecosystem, name, hex(hash), body from package order by ecosystem, name',
  'select id, severities, published, rejected, kev, epss, percentile from vulnerability order by id',
];

/** Hash of everything an advisory database says: two builds from the same feeds give the same, whenever they ran. */
export function contentHash(db: DatabaseSync, schema: number): string {
  const hash = createHash('sha256').update(`breakwater advisories ${schema}\n`);
  for (const sql of CONTENT) {
    const statement = db.prepare(sql);
    statement.setReturnArrays(true);
    for (const row of statement.iterate()) hash.update(`${JSON.stringify(row)}\n`);
  }
  return `sha256:${hash.digest('hex')}`;
}
