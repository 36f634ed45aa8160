import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { capabilitiesOf } from '../capabilities.ts';
import type { Engine } from '../engine.ts';

const ROWS = 'repository_findings';
const WITHOUT_PACKAGE = [
  `${ROWS}_by_first_seen_finding_id`,
  `${ROWS}_by_repository_statuses`,
  `${ROWS}_by_statuses_traits`,
];
const INDEXES: readonly (readonly [table: string, name: string, columns: readonly string[]])[] = [
  // The newest first, with everything that rows are searched by.
  [ROWS, 'time', ['first_seen', 'finding_id', 'repository', 'statuses', 'traits', 'package']],
  // The rows of a group follow each other.
  [ROWS, 'group', ['repository', 'package', 'statuses', 'traits', 'first_seen', 'finding_id']],
  ['finding_groups', 'package', ['package', 'repository', 'statuses', 'traits', 'findings', 'newest']],
];

/**
 * How many rows of the list are alike in everything that rows are searched by: whatever is asked for, it is known from few of these how
 * much of it there is and where, before a row is read.
 */
export function findingGroups(engine: Engine): Migration {
  return {
    async up(db) {
      const { integer, name, serial, transactionalMigrations, clustered } = capabilitiesOf(engine);
      const number = sql.raw(integer);
      if (!transactionalMigrations) await sql`begin`.execute(db);
      await db.schema
        .createTable('finding_packages')
        .addColumn('number', sql.raw(serial), (column) => column.notNull().primaryKey())
        .addColumn('name', sql.raw(name), (column) => column.notNull().unique())
        .execute();
      await sql`insert into finding_packages (name) select distinct package from findings`.execute(db);
      await db.schema
        .alterTable('findings')
        .addColumn('package_number', number, (column) => column.notNull().defaultTo(0))
        .execute();
      await sql`update findings set package_number =
        (select p.number from finding_packages p where p.name = findings.package)`.execute(db);
      for (const index of WITHOUT_PACKAGE) await db.schema.dropIndex(index).execute();
      await db.schema
        .alterTable(ROWS)
        .addColumn('package', number, (column) => column.notNull().defaultTo(0))
        .execute();
      await sql`update repository_findings set package =
        (select f.package_number from findings f where f.id = repository_findings.finding_id)`.execute(db);
      await db.schema
        .createTable('finding_groups')
        .addColumn('repository', number, (column) => column.notNull())
        .addColumn('package', number, (column) => column.notNull())
        .addColumn('statuses', number, (column) => column.notNull())
        .addColumn('traits', number, (column) => column.notNull())
        .addColumn('findings', number, (column) => column.notNull())
        .addColumn('newest', number, (column) => column.notNull())
        .addPrimaryKeyConstraint('finding_groups_key', ['repository', 'package', 'statuses', 'traits'])
        .modifyEnd(sql.raw(clustered))
        .execute();
      await sql`insert into finding_groups (repository, package, statuses, traits, findings, newest)
        select repository, package, statuses, traits, count(*), max(first_seen) from repository_findings group by 1, 2, 3, 4`.execute(
        db,
      );
      for (const [table, by, columns] of INDEXES)
        await db.schema
          .createIndex(`${table}_by_${by}`)
          .on(table)
          .columns([...columns])
          .execute();
      if (!transactionalMigrations) await sql`commit`.execute(db);
    },
  };
}
