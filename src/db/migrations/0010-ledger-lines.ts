import { type RawBuilder, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { capabilitiesOf } from '../capabilities.ts';
import type { Engine } from '../engine.ts';

/** Lines of the ledger that wait to be chained, and what lines are found by. */
export function ledgerLines(engine: Engine): Migration {
  return {
    async up(db) {
      const { integer, name, serial, transactionalMigrations } = capabilitiesOf(engine);
      if (!transactionalMigrations) await sql`begin`.execute(db);
      await db.schema
        .createTable('ledger_pending')
        .addColumn('id', sql.raw(serial), (column) => column.notNull().primaryKey())
        .addColumn('at', sql.raw(integer), (column) => column.notNull())
        .addColumn('actor', 'text', (column) => column.notNull())
        .addColumn('action', 'text', (column) => column.notNull())
        .addColumn('target', 'text', (column) => column.notNull())
        .addColumn('details', 'text', (column) => column.notNull())
        .addColumn('project', 'text')
        .execute();
      await db.schema.alterTable('ledger').addColumn('project', sql.raw(name)).execute();
      // What was written before: `project/front`, `repository/front/app`, and images, `front/app@sha256:…`.
      await sql`update ledger set project = substr(target, 9) where target like 'project/%'`.execute(db);
      await sql`update ledger set project = ${firstPart(engine, sql`substr(target, 12)`)}
        where target like 'repository/%' and action = 'gate.bypass-token'`.execute(db);
      await sql`update ledger set project = ${firstPart(engine, sql`target`)}
        where action in ('gate.bypass', 'gc.delete')`.execute(db);
      for (const column of ['actor', 'action', 'project'])
        await db.schema.createIndex(`ledger_by_${column}`).on('ledger').columns([column, 'seq']).execute();
      if (!transactionalMigrations) await sql`commit`.execute(db);
    },
  };
}

/** What stands before the first slash. */
function firstPart(engine: Engine, text: RawBuilder<unknown>): RawBuilder<unknown> {
  return engine === 'sqlite' ? sql`substr(${text}, 1, instr(${text}, '/') - 1)` : sql`split_part(${text}, '/', 1)`;
}
