import type { Migration } from 'kysely/migration';

/** Indexes that hold the order of a list, or the repository too, instead of those that only begin like them. */
const LONGER: readonly (readonly [table: string, shorter: readonly string[], longer: readonly string[]])[] = [
  // A page of the artifacts about one manifest, without sorting all of them.
  ['manifests', ['repository_id', 'subject'], ['repository_id', 'subject', 'digest']],
  // A page of the repositories of one project.
  ['repositories', ['project_id'], ['project_id', 'name']],
  // Whether one repository lists a blob or a manifest that very many others list too, like an empty config.
  ['manifest_blobs', ['blob_digest'], ['blob_digest', 'repository_id']],
  ['manifest_children', ['child_digest'], ['child_digest', 'repository_id']],
];

/** Has what is listed and looked for cost the same, however much there is of it. */
export const listsAtScale: Migration = {
  async up(db) {
    for (const [table, shorter, longer] of LONGER) {
      await db.schema
        .createIndex(nameOf(table, longer))
        .ifNotExists()
        .on(table)
        .columns([...longer])
        .execute();
      await db.schema.dropIndex(nameOf(table, shorter)).ifExists().execute();
    }
  },
};

function nameOf(table: string, columns: readonly string[]): string {
  return `${table}_by_${columns.join('_')}`;
}
