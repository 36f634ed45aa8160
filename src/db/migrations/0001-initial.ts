import { type CreateTableBuilder, type Kysely, type RawBuilder, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { type Capabilities, capabilitiesOf } from '../capabilities.ts';
import type { Engine } from '../engine.ts';

type ColumnType = 'text' | 'name' | 'integer' | 'bytes' | 'serial';
/** `text?` may be null. */
type Column = ColumnType | `${ColumnType}?`;

interface Table {
  readonly key: readonly string[];
  readonly columns: Readonly<Record<string, Column>>;
}

const TABLES: Readonly<Record<string, Table>> = {
  users: {
    key: ['id'],
    columns: {
      id: 'text',
      name: 'name',
      password_hash: 'text',
      admin: 'integer',
      disabled: 'integer',
      created_at: 'integer',
    },
  },
  projects: {
    key: ['id'],
    columns: {
      id: 'text',
      name: 'name',
      public: 'integer',
      created_by: 'text',
      created_at: 'integer',
    },
  },
  upstreams: {
    key: ['project_id'],
    columns: {
      project_id: 'text',
      url: 'text',
      username: 'text?',
      secret: 'text?',
      freshness_seconds: 'integer',
    },
  },
  members: {
    key: ['project_id', 'user_id'],
    columns: {
      project_id: 'text',
      user_id: 'text',
      role: 'text',
      created_at: 'integer',
    },
  },
  policies: {
    key: ['project_id', 'version'],
    columns: {
      project_id: 'text',
      version: 'integer',
      document: 'text',
      author: 'text',
      reason: 'text',
      created_at: 'integer',
    },
  },
  repositories: {
    key: ['id'],
    columns: {
      id: 'text',
      project_id: 'text',
      name: 'name',
      created_at: 'integer',
    },
  },
  blobs: {
    key: ['digest'],
    columns: {
      digest: 'text',
      size: 'integer',
      created_at: 'integer',
    },
  },
  repository_blobs: {
    key: ['repository_id', 'digest'],
    columns: {
      repository_id: 'text',
      digest: 'text',
      created_at: 'integer',
    },
  },
  uploads: {
    key: ['id'],
    columns: {
      id: 'text',
      repository_id: 'text',
      size: 'integer',
      created_at: 'integer',
      updated_at: 'integer',
    },
  },
  manifests: {
    key: ['repository_id', 'digest'],
    columns: {
      repository_id: 'text',
      digest: 'text',
      media_type: 'text',
      kind: 'text',
      artifact_type: 'text?',
      size: 'integer',
      content: 'bytes',
      subject: 'text?',
      annotations: 'text?',
      created_by: 'text',
      created_at: 'integer',
    },
  },
  manifest_blobs: {
    key: ['repository_id', 'manifest_digest', 'position'],
    columns: {
      repository_id: 'text',
      manifest_digest: 'text',
      position: 'integer',
      blob_digest: 'text',
      media_type: 'text',
      size: 'integer',
    },
  },
  manifest_children: {
    key: ['repository_id', 'parent_digest', 'position'],
    columns: {
      repository_id: 'text',
      parent_digest: 'text',
      position: 'integer',
      child_digest: 'text',
      platform: 'text?',
    },
  },
  tags: {
    key: ['repository_id', 'name'],
    columns: {
      repository_id: 'text',
      name: 'name',
      digest: 'text',
      updated_at: 'integer',
    },
  },
  mirror_tags: {
    key: ['repository_id', 'name'],
    columns: {
      repository_id: 'text',
      name: 'name',
      digest: 'text',
      checked_at: 'integer',
    },
  },
  layer_analyses: {
    key: ['blob_digest', 'analyser'],
    columns: {
      blob_digest: 'text',
      analyser: 'text',
      evidence: 'bytes',
      complete: 'integer',
      created_at: 'integer',
    },
  },
  packages: {
    key: ['id'],
    columns: {
      id: 'serial',
      identity: 'text',
      purl: 'text',
      type: 'text',
      name: 'text',
      version: 'text',
      arch: 'text?',
      source_name: 'text?',
      source_version: 'text?',
      licence: 'text?',
      lookup_name: 'text',
    },
  },
  inventories: {
    key: ['hash'],
    columns: {
      hash: 'text',
      analyser: 'text',
      ecosystem: 'text?',
      distribution: 'text?',
      gaps: 'text',
      complete: 'integer',
      created_at: 'integer',
    },
  },
  inventory_packages: {
    key: ['inventory_hash', 'package_id', 'path'],
    columns: {
      inventory_hash: 'text',
      package_id: 'integer',
      path: 'text',
      layer: 'text?',
    },
  },
  images: {
    key: ['digest'],
    columns: {
      digest: 'text',
      status: 'text',
      inventory_hash: 'text?',
      error: 'text?',
      updated_at: 'integer',
    },
  },
  verdicts: {
    key: ['repository_id', 'digest'],
    columns: {
      repository_id: 'text',
      digest: 'text',
      kind: 'text',
      document: 'text',
      advisories: 'text',
      policy_version: 'integer',
      judged_at: 'integer',
      changes_at: 'integer?',
    },
  },
  verdict_changes: {
    key: ['id'],
    columns: {
      id: 'serial',
      repository_id: 'text',
      repository: 'text',
      digest: 'text',
      previous: 'text?',
      kind: 'text',
      cause: 'text',
      document: 'text',
      at: 'integer',
    },
  },
  clocks: {
    key: ['scope', 'vulnerability', 'package'],
    columns: {
      scope: 'text',
      vulnerability: 'text',
      package: 'text',
      first_seen: 'integer',
    },
  },
  exceptions: {
    key: ['id'],
    columns: {
      id: 'text',
      project_id: 'text',
      vulnerability: 'text',
      package: 'text?',
      package_type: 'text?',
      version: 'text?',
      repository_glob: 'text?',
      digest: 'text?',
      reason: 'text',
      ticket: 'text?',
      state: 'text',
      requested_by: 'text',
      requested_at: 'integer',
      decided_by: 'text?',
      decided_at: 'integer?',
      decision_reason: 'text?',
      single_handed: 'integer',
      valid_from: 'integer?',
      until: 'integer',
    },
  },
  trusted_sources: {
    key: ['id'],
    columns: {
      id: 'text',
      scope: 'text',
      entry: 'text',
      state: 'text',
      criteria: 'text',
      findings: 'text',
      owner: 'text',
      proposed_by: 'text',
      proposed_at: 'integer',
      decided_by: 'text?',
      decided_at: 'integer?',
      decision_reason: 'text?',
      review_due: 'integer',
      retired_at: 'integer?',
    },
  },
  advisory_versions: {
    key: ['version'],
    columns: {
      version: 'text',
      built_at: 'integer',
      imported_at: 'integer',
      imported_by: 'text',
      sources: 'text',
    },
  },
  audit_runs: {
    key: ['id'],
    columns: {
      id: 'text',
      cluster: 'text',
      started_at: 'integer',
      finished_at: 'integer',
      objects: 'integer',
      violations: 'integer',
      incomplete: 'text',
    },
  },
  violations: {
    key: ['run_id', 'position'],
    columns: {
      run_id: 'text',
      position: 'integer',
      constraint_name: 'text',
      action: 'text',
      api_group: 'text',
      api_version: 'text',
      kind: 'text',
      namespace: 'text',
      name: 'text',
      message: 'text',
    },
  },
  running_images: {
    key: ['cluster', 'namespace', 'kind', 'name', 'container'],
    columns: {
      cluster: 'text',
      namespace: 'text',
      kind: 'text',
      name: 'text',
      container: 'text',
      image: 'text',
      digest: 'text?',
      first_seen: 'integer',
      last_seen: 'integer',
    },
  },
  ledger: {
    key: ['seq'],
    columns: {
      seq: 'integer',
      at: 'integer',
      actor: 'text',
      action: 'text',
      target: 'text',
      details: 'text',
      previous_hash: 'text',
      hash: 'text',
    },
  },
  jobs: {
    key: ['id'],
    columns: {
      id: 'text',
      kind: 'text',
      key: 'text',
      payload: 'text',
      state: 'text',
      run_after: 'integer',
      attempts: 'integer',
      leased_until: 'integer?',
      last_error: 'text?',
      created_at: 'integer',
    },
  },
  settings: {
    key: ['key'],
    columns: {
      key: 'text',
      value: 'text',
    },
  },
};

const UNIQUE: readonly (readonly [table: string, columns: readonly string[]])[] = [
  ['users', ['name']],
  ['projects', ['name']],
  ['repositories', ['name']],
  ['packages', ['identity']],
  ['jobs', ['kind', 'key']],
];

const INDEXES: readonly (readonly [table: string, columns: readonly string[]])[] = [
  ['repositories', ['project_id']],
  ['repository_blobs', ['digest']],
  ['uploads', ['updated_at']],
  ['manifests', ['digest']],
  ['manifests', ['repository_id', 'subject']],
  ['manifest_blobs', ['blob_digest']],
  ['manifest_children', ['child_digest']],
  ['tags', ['repository_id', 'digest']],
  ['packages', ['lookup_name']],
  ['packages', ['purl']],
  ['inventory_packages', ['package_id']],
  ['images', ['inventory_hash']],
  ['images', ['status']],
  ['verdicts', ['digest']],
  ['verdicts', ['changes_at']],
  ['verdict_changes', ['at']],
  ['verdict_changes', ['repository_id', 'digest']],
  ['exceptions', ['project_id', 'state']],
  ['ledger', ['at']],
  ['audit_runs', ['cluster', 'finished_at']],
  ['running_images', ['digest']],
  ['jobs', ['state', 'run_after']],
];

/** Creates the whole first schema. */
export function initial(engine: Engine): Migration {
  return {
    async up(db) {
      const capabilities = capabilitiesOf(engine);
      // Where the migrator opens no transaction itself: one sync to disk instead of one for each table.
      if (!capabilities.transactionalMigrations) await sql`begin`.execute(db);
      for (const [name, table] of Object.entries(TABLES)) await createTable(db, capabilities, name, table);
      for (const [table, columns] of UNIQUE) await createIndex(db, table, columns, true);
      for (const [table, columns] of INDEXES) await createIndex(db, table, columns, false);
      if (!capabilities.transactionalMigrations) await sql`commit`.execute(db);
    },
  };
}

async function createTable(db: Kysely<unknown>, engine: Capabilities, name: string, table: Table): Promise<void> {
  let builder: CreateTableBuilder<string, string> = db.schema.createTable(name).ifNotExists();
  for (const [column, type] of Object.entries(table.columns)) {
    builder = builder.addColumn(column, dataType(engine, type), (definition) =>
      type.endsWith('?') ? definition : definition.notNull(),
    );
  }
  await builder.addPrimaryKeyConstraint(`${name}_key`, [...table.key]).execute();
}

async function createIndex(db: Kysely<unknown>, table: string, columns: readonly string[], unique: boolean) {
  const builder = db.schema
    .createIndex(`${table}_by_${columns.join('_')}`)
    .ifNotExists()
    .on(table)
    .columns([...columns]);
  await (unique ? builder.unique() : builder).execute();
}

function dataType(engine: Capabilities, type: Column): RawBuilder<unknown> {
  const plain = type.replace('?', '') as ColumnType;
  return sql.raw(plain === 'text' ? 'text' : engine[plain]);
}
