import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { capabilitiesOf } from '../capabilities.ts';
import type { Engine } from '../engine.ts';
import { noteChanges } from './0014-guard-changes.ts';

/**
 * Guards are told what policies say of references: by the project, and by no name where it is the installation's. A project that is new
 * inherits something, too; of one that goes away its upstream tells.
 */
export function policyChanges(engine: Engine): Migration {
  return {
    async up(db) {
      const { transactionalMigrations } = capabilitiesOf(engine);
      if (!transactionalMigrations) await sql`begin`.execute(db);
      const kind = 'policy';
      const ofPolicy = (row: string) => ({
        repository: `coalesce((select p.name from projects p where p.id = ${row}.project_id), '')`,
        item: `''`,
      });
      const ofProject = (row: string) => ({ repository: `${row}.name`, item: `''` });
      await noteChanges(db, engine, { table: 'policies', on: 'insert', kind, names: ofPolicy });
      await noteChanges(db, engine, { table: 'projects', on: 'insert', kind, names: ofProject });
      if (!transactionalMigrations) await sql`commit`.execute(db);
    },
  };
}
