import type { Migration } from 'kysely/migration';

/** Inventories say which build step made each layer; packages of their module stream, and that others than the distribution made them. */
export const layers: Migration = {
  async up(db) {
    await db.schema.alterTable('inventories').addColumn('layers', 'text').execute();
    await db.schema.alterTable('packages').addColumn('module', 'text').execute();
    await db.schema
      .alterTable('packages')
      .addColumn('third_party', 'integer', (column) => column.notNull().defaultTo(0))
      .execute();
  },
};
