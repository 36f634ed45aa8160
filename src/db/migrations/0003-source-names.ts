import type { Migration } from 'kysely/migration';

/** Packages are looked up by the name of their source as well: advisories may be filed under either. */
export const sourceNames: Migration = {
  async up(db) {
    await db.schema.createIndex('packages_by_source_name').ifNotExists().on('packages').column('source_name').execute();
  },
};
