import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { capabilitiesOf } from '../capabilities.ts';
import type { Engine } from '../engine.ts';

const INDEXES: readonly (readonly [table: string, columns: readonly string[]])[] = [
  // One for each order of the list.
  ['findings', ['severity', 'epss', 'id']],
  ['findings', ['epss', 'id']],
  ['findings', ['vulnerability', 'id']],
  ['findings', ['package', 'id']],
  ['finding_names', ['finding_id']],
  ['finding_repositories', ['project_id']],
  ['finding_repositories', ['name']],
  // Everything that rows are searched by, so that searching reads an index alone.
  ['repository_findings', ['first_seen', 'finding_id', 'repository', 'statuses', 'traits']],
  ['repository_findings', ['repository', 'statuses', 'traits', 'finding_id', 'first_seen']],
  ['repository_findings', ['statuses', 'traits', 'repository', 'finding_id', 'first_seen']],
];

/**
 * What verdicts say of vulnerabilities, once for each repository: what can be sorted and searched lies in few rows, however many
 * images there are. Filled from the verdicts that are kept while the server runs (`findings/fill.ts`).
 */
export function findings(engine: Engine): Migration {
  return {
    async up(db) {
      const { integer, name, real, serial, transactionalMigrations, clustered } = capabilitiesOf(engine);
      const number = sql.raw(integer);
      const text = sql.raw(name);
      if (!transactionalMigrations) await sql`begin`.execute(db);
      await db.schema
        .createTable('findings')
        .addColumn('id', sql.raw(serial), (column) => column.notNull().primaryKey())
        .addColumn('identity', text, (column) => column.notNull().unique())
        .addColumn('vulnerability', text, (column) => column.notNull())
        .addColumn('aliases', 'text', (column) => column.notNull())
        .addColumn('package', text, (column) => column.notNull())
        .addColumn('installed', 'text', (column) => column.notNull())
        .addColumn('fixed', 'text', (column) => column.notNull())
        .addColumn('severity', number, (column) => column.notNull())
        .addColumn('fixable', number, (column) => column.notNull())
        .addColumn('vendor_status', 'text', (column) => column.notNull())
        .addColumn('kev', number, (column) => column.notNull())
        .addColumn('epss', sql.raw(real), (column) => column.notNull())
        .execute();
      await db.schema
        .createTable('finding_names')
        .addColumn('name', text, (column) => column.notNull())
        .addColumn('finding_id', number, (column) => column.notNull())
        .addPrimaryKeyConstraint('finding_names_key', ['name', 'finding_id'])
        .modifyEnd(sql.raw(clustered))
        .execute();
      await db.schema
        .createTable('finding_repositories')
        .addColumn('number', sql.raw(serial), (column) => column.notNull().primaryKey())
        .addColumn('repository_id', text, (column) => column.notNull().unique())
        .addColumn('project_id', text, (column) => column.notNull())
        .addColumn('name', text, (column) => column.notNull())
        .execute();
      await db.schema
        .createTable('finding_images')
        .addColumn('number', sql.raw(serial), (column) => column.notNull().primaryKey())
        .addColumn('repository', number, (column) => column.notNull())
        .addColumn('digest', text, (column) => column.notNull())
        .addColumn('findings', 'text', (column) => column.notNull())
        .addUniqueConstraint('finding_images_by_digest', ['repository', 'digest'])
        .execute();
      await db.schema
        .createTable('repository_findings')
        // What still stands in the list cannot be forgotten.
        .addColumn('finding_id', number, (column) => column.notNull().references('findings.id'))
        .addColumn('repository', number, (column) => column.notNull())
        .addColumn('blocked', number, (column) => column.notNull())
        .addColumn('warned', number, (column) => column.notNull())
        .addColumn('in_grace', number, (column) => column.notNull())
        .addColumn('excepted', number, (column) => column.notNull())
        .addColumn('dismissed', number, (column) => column.notNull())
        .addColumn('statuses', number, (column) => column.notNull())
        .addColumn('traits', number, (column) => column.notNull())
        .addColumn('first_seen', number, (column) => column.notNull())
        .addPrimaryKeyConstraint('repository_findings_key', ['finding_id', 'repository'])
        .modifyEnd(sql.raw(clustered))
        .execute();
      await db.schema
        .createTable('image_findings')
        .addColumn('finding_id', number, (column) => column.notNull())
        .addColumn('repository', number, (column) => column.notNull())
        .addColumn('image', number, (column) => column.notNull())
        .addPrimaryKeyConstraint('image_findings_key', ['finding_id', 'repository', 'image'])
        .modifyEnd(sql.raw(clustered))
        .execute();
      for (const [table, columns] of INDEXES)
        await db.schema
          .createIndex(`${table}_by_${columns.slice(0, 2).join('_')}`)
          .on(table)
          .columns([...columns])
          .execute();
      // Where nothing is judged yet everything will be listed as it is.
      await sql`insert into settings (key, value) select 'findings.to-be-filled', 'true'
        where exists (select 1 from verdicts)`.execute(db);
      if (!transactionalMigrations) await sql`commit`.execute(db);
    },
  };
}
