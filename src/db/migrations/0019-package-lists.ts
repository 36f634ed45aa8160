import type { Migration } from 'kysely/migration';

/** Inventories list their packages in one value, so that judging thousands of them again reads one row of each. */
export const packageLists: Migration = {
  async up(db) {
    await db.schema.alterTable('inventories').addColumn('package_ids', 'text').execute();
  },
};
