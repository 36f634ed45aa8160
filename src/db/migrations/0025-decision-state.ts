import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { Engine } from '../engine.ts';

/** What is kept in memory for every verdict and changed by people, seldom. Part of this migration: others need another one. */
const TABLES = ['exceptions', 'quarantines', 'vex_authors', 'vex_documents'];

/**
 * One mark that every transaction replaces which changes one of these tables, so that whoever remembers what they say need not read them
 * again because something else was written. For PostgreSQL: with SQLite there is one program, which counts its own changes.
 */
export function decisionState(engine: Engine): Migration {
  return {
    async up(db) {
      if (engine === 'sqlite') return;
      await sql`create table decision_state (mark text not null)`.execute(db);
      await sql`insert into decision_state values (gen_random_uuid()::text)`.execute(db);
      await sql`create function mark_decision_state() returns trigger language plpgsql as $$
        declare
          own text := pg_current_xact_id()::text;
        begin
          if current_setting('breakwater.decision_state', true) is distinct from own then
            perform set_config('breakwater.decision_state', own, true);
            update decision_state set mark = gen_random_uuid()::text;
          end if;
          return null;
        end $$`.execute(db);
      // When the transaction ends: it then waits for no other lock, so that two who wait for each other here are not possible.
      for (const table of TABLES)
        await sql
          .raw(
            `create constraint trigger decision_state_of_${table} after insert or update or delete on ${table}
             deferrable initially deferred for each row execute function mark_decision_state()`,
          )
          .execute(db);
    },
  };
}
