import { type Kysely, type SqlBool, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { capabilitiesOf } from '../capabilities.ts';
import type { Engine } from '../engine.ts';

/** The review queue, what is known of withheld blobs, and which projects give untagged manifests up. */
export function garbageCollection(engine: Engine): Migration {
  return {
    async up(db) {
      const { integer, transactionalMigrations } = capabilitiesOf(engine);
      if (!transactionalMigrations) await sql`begin`.execute(db);
      await addColumns(db, integer);
      await createQueue(db, integer);
      await queueWhatNobodyRefersTo(db);
      if (!transactionalMigrations) await sql`commit`.execute(db);
    },
  };
}

async function addColumns(db: Kysely<unknown>, integer: string): Promise<void> {
  const type = sql.raw(integer);
  await db.schema
    .alterTable('blobs')
    .addColumn('written_at', type, (column) => column.notNull().defaultTo(0))
    .execute();
  await db.schema.alterTable('blobs').addColumn('withheld_at', type).execute();
  await db.schema.alterTable('blobs').addColumn('withheld_for', 'text').execute();
  await db.schema.alterTable('blobs').addColumn('moving_until', type).execute();
  await db.schema
    .createIndex('blobs_by_withheld_at')
    .on('blobs')
    .column('withheld_at')
    .where(sql<SqlBool>`withheld_at is not null`)
    .execute();
  await db.schema
    .alterTable('projects')
    .addColumn('delete_untagged', type, (column) => column.notNull().defaultTo(0))
    .execute();
}

async function createQueue(db: Kysely<unknown>, integer: string): Promise<void> {
  const type = sql.raw(integer);
  await db.schema
    .createTable('gc_reviews')
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('repository_id', 'text', (column) => column.notNull())
    .addColumn('digest', 'text', (column) => column.notNull())
    .addColumn('changed_at', type, (column) => column.notNull())
    .addColumn('not_before', type, (column) => column.notNull())
    .addColumn('attempts', type, (column) => column.notNull())
    .addColumn('lease', 'text')
    .addColumn('leased_until', type)
    .addColumn('last_error', 'text')
    .addPrimaryKeyConstraint('gc_reviews_key', ['kind', 'repository_id', 'digest'] as never[])
    .execute();
  await db.schema.createIndex('gc_reviews_by_changed_at').on('gc_reviews').column('changed_at').execute();
}

/** What was left behind before there was a queue; the delay counts from when the content came. */
async function queueWhatNobodyRefersTo(db: Kysely<unknown>): Promise<void> {
  await sql`insert into gc_reviews (kind, repository_id, digest, changed_at, not_before, attempts)
    select 'link', l.repository_id, l.digest, l.created_at, 0, 0 from repository_blobs l
    where not exists (select 1 from manifest_blobs m where m.repository_id = l.repository_id and m.blob_digest = l.digest)`.execute(
    db,
  );
  await sql`insert into gc_reviews (kind, repository_id, digest, changed_at, not_before, attempts)
    select 'blob', '', b.digest, b.created_at, 0, 0 from blobs b
    where not exists (select 1 from repository_blobs l where l.digest = b.digest)`.execute(db);
}
