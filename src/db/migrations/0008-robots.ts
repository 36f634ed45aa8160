import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { capabilitiesOf } from '../capabilities.ts';
import type { Engine } from '../engine.ts';

/** Accounts of machines with their secrets, and who stands behind a robot that asked for an exception. */
export function robots(engine: Engine): Migration {
  return {
    async up(db) {
      const { integer, name, transactionalMigrations } = capabilitiesOf(engine);
      const [number, login] = [sql.raw(integer), sql.raw(name)];
      if (!transactionalMigrations) await sql`begin`.execute(db);
      await db.schema
        .createTable('robots')
        .addColumn('id', 'text', (column) => column.notNull().primaryKey())
        .addColumn('name', login, (column) => column.notNull().unique())
        .addColumn('project_id', 'text')
        .addColumn('owner_id', 'text', (column) => column.notNull())
        .addColumn('description', 'text', (column) => column.notNull())
        .addColumn('grants', 'text', (column) => column.notNull())
        .addColumn('disabled', number, (column) => column.notNull())
        .addColumn('expires_at', number)
        .addColumn('created_at', number, (column) => column.notNull())
        .addColumn('last_used_at', number)
        .execute();
      await db.schema.createIndex('robots_by_project').on('robots').column('project_id').execute();
      await db.schema
        .createTable('robot_secrets')
        .addColumn('id', 'text', (column) => column.notNull().primaryKey())
        .addColumn('robot_id', 'text', (column) => column.notNull())
        .addColumn('hash', 'text', (column) => column.notNull())
        .addColumn('created_at', number, (column) => column.notNull())
        .addColumn('ends_at', number)
        .execute();
      await db.schema.createIndex('robot_secrets_by_robot').on('robot_secrets').column('robot_id').execute();
      await db.schema.alterTable('exceptions').addColumn('requested_person', 'text').execute();
      if (!transactionalMigrations) await sql`commit`.execute(db);
    },
  };
}
