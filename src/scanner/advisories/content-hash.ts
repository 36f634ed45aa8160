import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { TABLES_OF } from './schema.ts';

/** Queries whose rows are the content; `meta` (build time, version) is not part of it. */
const CONTENT = {
  source: 'select ecosystem, feed, completeness, records, newest, note from source order by ecosystem, feed',
  package: 'select ecosystem, name, hex(hash), body from package order by ecosystem, name',
  vulnerability: 'select id, severities, published, rejected, kev, epss, percentile from vulnerability order by id',
  place: 'select number, ecosystem, name from place order by number',
  named: 'select id, places from named order by id',
};

/** Hash of everything an advisory database says: two builds from the same feeds give the same, whenever they ran. */
export function contentHash(db: DatabaseSync, schema: number): string {
  const hash = createHash('sha256').update(`breakwater advisories ${schema}\n`);
  for (const [table, sql] of Object.entries(CONTENT)) {
    if (!TABLES_OF.get(schema)?.includes(table)) continue;
    const statement = db.prepare(sql);
    statement.setReturnArrays(true);
    for (const row of statement.iterate()) hash.update(`${JSON.stringify(row)}\n`);
  }
  return `sha256:${hash.digest('hex')}`;
}
