import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { capabilitiesOf } from '../capabilities.ts';
import type { Engine } from '../engine.ts';
import { noteChanges } from './0014-guard-changes.ts';

/** Quarantines of contents, which guards are told of, and of packages; what was measured about trusted sources. */
export function quarantines(engine: Engine): Migration {
  return {
    async up(db) {
      const { integer, name, transactionalMigrations } = capabilitiesOf(engine);
      const number = sql.raw(integer);
      if (!transactionalMigrations) await sql`begin`.execute(db);
      await db.schema
        .createTable('quarantines')
        .addColumn('id', sql.raw(name), (column) => column.notNull().primaryKey())
        .addColumn('target', sql.raw(name), (column) => column.notNull())
        .addColumn('digest', sql.raw(name))
        .addColumn('purl', 'text')
        .addColumn('versions', 'text')
        .addColumn('reason', 'text', (column) => column.notNull())
        .addColumn('ticket', 'text', (column) => column.notNull())
        .addColumn('state', 'text', (column) => column.notNull())
        .addColumn('added_by', 'text', (column) => column.notNull())
        .addColumn('added_at', number, (column) => column.notNull())
        .addColumn('release_asked_by', 'text')
        .addColumn('release_asked_person', 'text')
        .addColumn('release_asked_at', number)
        .addColumn('release_reason', 'text')
        .addColumn('released_by', 'text')
        .addColumn('released_at', number)
        .addColumn('release_confirmed', 'text')
        .addColumn('applied_at', number)
        .execute();
      await db.schema.createIndex('quarantines_by_state').on('quarantines').columns(['state', 'digest']).execute();
      // What was measured about a trusted source when it was proposed or reviewed: JSON.
      await db.schema.alterTable('trusted_sources').addColumn('measured', 'text').execute();
      const names = (row: string) => ({
        repository: `''`,
        item: `one.digest`,
        from: `from (select ${row}.digest as digest) as one where one.digest is not null`,
      });
      for (const on of ['insert', 'delete', { updateOf: 'state' }] as const)
        await noteChanges(db, engine, { table: 'quarantines', on, kind: 'quarantine', names });
      if (!transactionalMigrations) await sql`commit`.execute(db);
    },
  };
}
