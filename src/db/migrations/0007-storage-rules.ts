import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { type Capabilities, capabilitiesOf } from '../capabilities.ts';
import type { Engine } from '../engine.ts';

type ColumnType = 'text' | 'integer' | 'serial';

const TABLES: Readonly<
  Record<string, { readonly columns: Readonly<Record<string, ColumnType>>; readonly key: readonly string[] }>
> = {
  usage_changes: {
    columns: {
      id: 'serial',
      project_id: 'text',
      repository_id: 'text',
      kind: 'text',
      digest: 'text',
      size: 'integer',
      links: 'integer',
    },
    key: ['id'],
  },
  usage_items: {
    columns: { project_id: 'text', kind: 'text', digest: 'text', links: 'integer', size: 'integer' },
    key: ['project_id', 'kind', 'digest'],
  },
  project_usage: {
    columns: { project_id: 'text', bytes: 'integer', blobs: 'integer', manifests: 'integer' },
    key: ['project_id'],
  },
  repository_usage: {
    columns: { repository_id: 'text', project_id: 'text', bytes: 'integer', blobs: 'integer', manifests: 'integer' },
    key: ['repository_id'],
  },
  manifest_pulls: {
    columns: { repository_id: 'text', digest: 'text', pulled_at: 'integer' },
    key: ['repository_id', 'digest'],
  },
  retention_rules: {
    columns: { project_id: 'text', rules: 'text', changed_by: 'text', changed_at: 'integer' },
    key: ['project_id'],
  },
  retention_runs: {
    columns: {
      id: 'text',
      project_id: 'text',
      actor: 'text',
      at: 'integer',
      rules: 'text',
      examined: 'integer',
      removed: 'integer',
    },
    key: ['id'],
  },
};
const INDEXES: readonly (readonly [table: string, columns: readonly string[]])[] = [
  ['usage_changes', ['project_id', 'kind', 'digest']],
  ['repository_usage', ['project_id']],
  ['retention_runs', ['project_id', 'at']],
];

/** What projects hold and may hold, and which tags must stay; counts what is stored already. */
export function storageRules(engine: Engine): Migration {
  return {
    async up(db) {
      const capabilities = capabilitiesOf(engine);
      if (!capabilities.transactionalMigrations) await sql`begin`.execute(db);
      for (const [name, table] of Object.entries(TABLES)) await createTable(db, capabilities, name, table);
      for (const [table, columns] of INDEXES)
        await db.schema
          .createIndex(`${table}_by_${columns.join('_')}`)
          .on(table)
          .columns([...columns])
          .execute();
      await db.schema.alterTable('projects').addColumn('quota', sql.raw(capabilities.integer)).execute();
      await db.schema.alterTable('projects').addColumn('immutable_tags', 'text').execute();
      await count(db);
      if (!capabilities.transactionalMigrations) await sql`commit`.execute(db);
    },
  };
}

async function createTable(
  db: Kysely<unknown>,
  capabilities: Capabilities,
  name: string,
  { columns, key }: (typeof TABLES)[string],
): Promise<void> {
  let builder = db.schema.createTable(name).addPrimaryKeyConstraint(`${name}_key`, [...key] as never[]);
  for (const [column, type] of Object.entries(columns))
    builder = builder.addColumn(column, type === 'text' ? 'text' : sql.raw(capabilities[type]), (definition) =>
      definition.notNull(),
    );
  await builder.execute();
}

/** Repositories of projects that are gone have no content. */
async function count(db: Kysely<unknown>): Promise<void> {
  await sql`insert into usage_items (project_id, kind, digest, links, size)
    select r.project_id, 'blob', l.digest, count(*), b.size
    from repository_blobs l join repositories r on r.id = l.repository_id join blobs b on b.digest = l.digest
    group by r.project_id, l.digest, b.size`.execute(db);
  await sql`insert into usage_items (project_id, kind, digest, links, size)
    select r.project_id, 'manifest', m.digest, count(*), max(m.size)
    from manifests m join repositories r on r.id = m.repository_id group by r.project_id, m.digest`.execute(db);
  await sql`insert into project_usage (project_id, bytes, blobs, manifests)
    select project_id, sum(size), sum(case when kind = 'blob' then 1 else 0 end), sum(case when kind = 'blob' then 0 else 1 end)
    from usage_items group by project_id`.execute(db);
  await sql`insert into repository_usage (repository_id, project_id, bytes, blobs, manifests)
    select r.id, r.project_id, sum(c.size), sum(c.blobs), sum(c.manifests) from repositories r join (
      select l.repository_id, b.size, 1 as blobs, 0 as manifests from repository_blobs l join blobs b on b.digest = l.digest
      union all select repository_id, size, 0, 1 from manifests
    ) c on c.repository_id = r.id group by r.id, r.project_id`.execute(db);
}
