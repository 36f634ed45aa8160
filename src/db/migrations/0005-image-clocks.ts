import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { Engine } from '../engine.ts';

/**
 * The clocks of a manifest are one row of lines instead of a row for each finding: they are only ever read together. May be
 * repeated after a crash.
 */
export function imageClocks(engine: Engine): Migration {
  return {
    async up(db) {
      await db.schema
        .createTable('image_clocks')
        .ifNotExists()
        .addColumn('digest', 'text', (column) => column.notNull().primaryKey())
        .addColumn('clocks', 'text', (column) => column.notNull())
        .execute();
      await moveClocks(db, engine);
    },
  };
}

async function moveClocks(db: Kysely<unknown>, engine: Engine): Promise<void> {
  const line =
    engine === 'sqlite'
      ? sql`json_array(first_seen, vulnerability || ' ' || package)`
      : sql`cast(json_build_array(first_seen, vulnerability || ' ' || package) as text)`;
  await sql`insert into image_clocks (digest, clocks)
    select substr(scope, 8), string_agg(${line}, ${sql.lit('\n')}) || ${sql.lit('\n')}
    from clocks where scope like 'digest:%' group by scope
    on conflict (digest) do nothing`.execute(db);
  await sql`delete from clocks where scope like 'digest:%'`.execute(db);
}
