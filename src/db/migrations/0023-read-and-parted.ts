import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { capabilitiesOf } from '../capabilities.ts';
import type { Engine } from '../engine.ts';

/** What a request for an exception said when somebody read it, and accounts that were of one person before. */
export function readAndParted(engine: Engine): Migration {
  return {
    async up(db) {
      const { integer, name, transactionalMigrations } = capabilitiesOf(engine);
      const number = sql.raw(integer);
      const text = sql.raw(name);
      if (!transactionalMigrations) await sql`begin`.execute(db);
      // Raised by every edit.
      await db.schema
        .alterTable('exceptions')
        .addColumn('revision', number, (column) => column.notNull().defaultTo(1))
        .execute();
      // Whoever changed a request stands beside the one who asked: it was edited, though nobody counted how often.
      await sql`update exceptions set revision = 2
        where state = 'requested' and requester_accounts like '%,%'`.execute(db);
      await db.schema
        .createTable('parted_accounts')
        .addColumn('name', text, (column) => column.notNull())
        .addColumn('other', text, (column) => column.notNull())
        .addColumn('parted_at', number, (column) => column.notNull())
        .addPrimaryKeyConstraint('parted_accounts_key', ['name', 'other'])
        .execute();
      if (!transactionalMigrations) await sql`commit`.execute(db);
    },
  };
}
