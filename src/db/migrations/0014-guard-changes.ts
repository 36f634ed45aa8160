import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { capabilitiesOf } from '../capabilities.ts';
import type { Engine } from '../engine.ts';

/** One change of a table that guards are told of. `row` stands for the new or the old state of the row. */
interface Noted {
  readonly table: string;
  readonly on: 'insert' | 'delete' | { readonly updateOf: string };
  readonly kind: string;
  /** What the repository (or project, or nothing) and the item are called, read from `row`. */
  readonly names: (row: string) => { readonly repository: string; readonly item: string; readonly from?: string };
}

/** Repositories by name: what was in one that is gone is gone with it. */
const inRepository = (item: string) => (row: string) => ({
  repository: 'r.name',
  item: `${row}.${item}`,
  from: `from repositories r where r.id = ${row}.repository_id`,
});
const ofRepository = (row: string) => ({ repository: `${row}.name`, item: `''` });
const ofUpstream = (row: string) => ({
  repository: 'p.name',
  item: `''`,
  from: `from projects p where p.id = ${row}.project_id`,
});
const ofTrust = (row: string) => ({ repository: `''`, item: `${row}.entry` });

const NOTED: readonly Noted[] = [
  { table: 'tags', on: 'insert', kind: 'tag', names: inRepository('name') },
  { table: 'tags', on: { updateOf: 'digest' }, kind: 'tag', names: inRepository('name') },
  { table: 'tags', on: 'delete', kind: 'tag', names: inRepository('name') },
  { table: 'manifests', on: 'insert', kind: 'image', names: inRepository('digest') },
  { table: 'manifests', on: 'delete', kind: 'image', names: inRepository('digest') },
  { table: 'verdicts', on: 'insert', kind: 'image', names: inRepository('digest') },
  { table: 'verdicts', on: { updateOf: 'document' }, kind: 'image', names: inRepository('digest') },
  { table: 'verdicts', on: 'delete', kind: 'image', names: inRepository('digest') },
  { table: 'repositories', on: 'delete', kind: 'repository', names: ofRepository },
  { table: 'upstreams', on: 'insert', kind: 'upstream', names: ofUpstream },
  { table: 'upstreams', on: { updateOf: 'url' }, kind: 'upstream', names: ofUpstream },
  { table: 'upstreams', on: 'delete', kind: 'upstream', names: ofUpstream },
  // A project that goes away may take the name of its upstream along before the upstream itself goes.
  { table: 'projects', on: 'delete', kind: 'upstream', names: ofRepository },
  { table: 'trusted_sources', on: 'insert', kind: 'trust', names: ofTrust },
  { table: 'trusted_sources', on: { updateOf: 'state' }, kind: 'trust', names: ofTrust },
  { table: 'trusted_sources', on: 'delete', kind: 'trust', names: ofTrust },
];

/**
 * What guards are told of, noted by the database itself, so that no writer can forget it: names of what changed, in the order of the
 * changes. Rows are only ever added, so that writers never wait for each other here.
 */
export function guardChanges(engine: Engine): Migration {
  return {
    async up(db) {
      const { integer, name, serial, transactionalMigrations } = capabilitiesOf(engine);
      if (!transactionalMigrations) await sql`begin`.execute(db);
      await db.schema
        .createTable('guard_changes')
        .addColumn('id', sql.raw(serial), (column) => column.notNull().primaryKey())
        .addColumn('mark', sql.raw(integer), (column) => column.notNull())
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('repository', sql.raw(name), (column) => column.notNull())
        .addColumn('item', sql.raw(name), (column) => column.notNull())
        .execute();
      // There is always a newest row: it is what a reader that has seen everything names.
      await sql`insert into guard_changes (mark, kind, repository, item) values (${sql.raw(randomMark(engine))}, 'start', '', '')`.execute(
        db,
      );
      for (const one of NOTED) await noteChanges(db, engine, one);
      if (!transactionalMigrations) await sql`commit`.execute(db);
    },
  };
}

/** Tells two rows of the same number apart, as they are before and after a database was put back to an earlier state. */
function randomMark(engine: Engine): string {
  return engine === 'sqlite' ? '(random() & 2147483647)' : 'floor(random() * 2147483647)::bigint';
}

/** Has the database write down one kind of change from now on. */
export async function noteChanges(
  db: Kysely<unknown>,
  engine: Engine,
  { table, on, kind, names }: Noted,
): Promise<void> {
  const row = on === 'delete' ? 'old' : 'new';
  const { repository, item, from = '' } = names(row);
  const insert = `insert into guard_changes (mark, kind, repository, item)
    select ${randomMark(engine)}, '${kind}', ${repository}, ${item} ${from}`;
  const column = typeof on === 'string' ? undefined : on.updateOf;
  const trigger = `guard_change_of_${table}_${typeof on === 'string' ? on : 'update'}`;
  const event = typeof on === 'string' ? `after ${on}` : `after update of ${on.updateOf}`;
  const changed =
    column === undefined
      ? ''
      : `when (old.${column} ${engine === 'sqlite' ? 'is not' : 'is distinct from'} new.${column})`;
  if (engine === 'sqlite') {
    await sql
      .raw(`create trigger ${trigger} ${event} on ${table} for each row ${changed} begin ${insert}; end`)
      .execute(db);
    return;
  }
  await sql
    .raw(`create function ${trigger}() returns trigger language plpgsql as $$ begin ${insert}; return null; end $$`)
    .execute(db);
  await sql
    .raw(`create trigger ${trigger} ${event} on ${table} for each row ${changed} execute function ${trigger}()`)
    .execute(db);
}
