import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { capabilitiesOf } from '../capabilities.ts';
import type { Engine } from '../engine.ts';

/**
 * Exceptions of several kinds, from rules too, narrowed further and renewed; accounts of one person; the platform of images; and what
 * becomes of verdicts by time alone.
 */
export function exceptions(engine: Engine): Migration {
  return {
    async up(db) {
      const { integer, transactionalMigrations } = capabilitiesOf(engine);
      const number = sql.raw(integer);
      if (!transactionalMigrations) await sql`begin`.execute(db);
      const alter = db.schema.alterTable('exceptions');
      await alter.addColumn('kind', 'text', (column) => column.notNull().defaultTo('accepted-risk')).execute();
      for (const name of ['rule', 'versions', 'platform', 'justification', 'owner', 'renews', 'batch'])
        await alter.addColumn(name, 'text').execute();
      for (const name of ['fix_days', 'life_from', 'expiring_told_at', 'expired_told_at'])
        await alter.addColumn(name, number).execute();
      await alter.addColumn('requester_accounts', 'text', (column) => column.notNull().defaultTo('[]')).execute();
      // Who asked before, for decisions still to come.
      await sql`update exceptions
        set requester_accounts = '["' || coalesce(requested_person, requested_by) || '"]'`.execute(db);
      await db.schema.createIndex('exceptions_by_end').on('exceptions').columns(['state', 'until']).execute();
      await db.schema.createIndex('exceptions_by_batch').on('exceptions').column('batch').execute();
      // The account that stands for the person; null: itself.
      await db.schema.alterTable('users').addColumn('person', 'text').execute();
      await db.schema.alterTable('images').addColumn('platform', 'text').execute();
      await db.schema.alterTable('verdicts').addColumn('becomes', 'text').execute();
      if (!transactionalMigrations) await sql`commit`.execute(db);
    },
  };
}
