import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { capabilitiesOf } from '../capabilities.ts';
import type { Engine } from '../engine.ts';

/**
 * Violations as they stand, each with since when, instead of all of them again for every pass: a large cluster has as many
 * as it has pods. And what admission said, merged. What stands is written anew by the next audit.
 */
export function clusterFindings(engine: Engine): Migration {
  return {
    async up(db) {
      const { integer, transactionalMigrations } = capabilitiesOf(engine);
      const number = sql.raw(integer);
      if (!transactionalMigrations) await sql`begin`.execute(db);
      await db.schema.dropTable('violations').execute();
      await db.schema
        .createTable('cluster_violations')
        .addColumn('cluster', 'text', (column) => column.notNull())
        .addColumn('key', 'text', (column) => column.notNull())
        .addColumn('constraint_kind', 'text', (column) => column.notNull())
        .addColumn('constraint_name', 'text', (column) => column.notNull())
        .addColumn('action', 'text', (column) => column.notNull())
        .addColumn('api_group', 'text', (column) => column.notNull())
        .addColumn('api_version', 'text', (column) => column.notNull())
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('namespace', 'text', (column) => column.notNull())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('image', 'text', (column) => column.notNull())
        .addColumn('message', 'text', (column) => column.notNull())
        .addColumn('away', number, (column) => column.notNull())
        .addColumn('first_seen', number, (column) => column.notNull())
        .addPrimaryKeyConstraint('cluster_violations_key', ['cluster', 'key'])
        .execute();
      await db.schema
        .createTable('admission_findings')
        .addColumn('cluster', 'text', (column) => column.notNull())
        .addColumn('key', 'text', (column) => column.notNull())
        .addColumn('constraint_kind', 'text', (column) => column.notNull())
        .addColumn('constraint_name', 'text', (column) => column.notNull())
        .addColumn('action', 'text', (column) => column.notNull())
        .addColumn('api_version', 'text', (column) => column.notNull())
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('namespace', 'text', (column) => column.notNull())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('owner_kind', 'text', (column) => column.notNull())
        .addColumn('owner_name', 'text', (column) => column.notNull())
        .addColumn('image', 'text', (column) => column.notNull())
        .addColumn('message', 'text', (column) => column.notNull())
        .addColumn('requested_by', 'text', (column) => column.notNull())
        .addColumn('times', number, (column) => column.notNull())
        .addColumn('first_at', number, (column) => column.notNull())
        .addColumn('last_at', number, (column) => column.notNull())
        .addPrimaryKeyConstraint('admission_findings_key', ['cluster', 'key'])
        .execute();
      await db.schema
        .createIndex('admission_findings_by_cluster_last_at')
        .on('admission_findings')
        .columns(['cluster', 'last_at'])
        .execute();
      if (!transactionalMigrations) await sql`commit`.execute(db);
    },
  };
}
