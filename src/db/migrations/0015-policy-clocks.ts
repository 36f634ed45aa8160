import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { capabilitiesOf } from '../capabilities.ts';
import type { Engine } from '../engine.ts';

/** Parts of clocks, and from when on policies count. */
export function policyClocks(engine: Engine): Migration {
  return {
    async up(db) {
      const { integer, transactionalMigrations } = capabilitiesOf(engine);
      if (!transactionalMigrations) await sql`begin`.execute(db);
      await db.schema.alterTable('clocks').addColumn('marks', 'text').execute();
      await db.schema.alterTable('policies').addColumn('effective_from', sql.raw(integer)).execute();
      if (!transactionalMigrations) await sql`commit`.execute(db);
    },
  };
}
