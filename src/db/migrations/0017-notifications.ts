import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { capabilitiesOf } from '../capabilities.ts';
import type { Engine } from '../engine.ts';

/** What is to be told, who is told, and what became of it. */
export function notifications(engine: Engine): Migration {
  return {
    async up(db) {
      const { transactionalMigrations } = capabilitiesOf(engine);
      if (!transactionalMigrations) await sql`begin`.execute(db);
      await outbox(db, engine);
      await receivers(db, engine);
      await messages(db, engine);
      if (!transactionalMigrations) await sql`commit`.execute(db);
    },
  };
}

async function outbox(db: Kysely<unknown>, engine: Engine): Promise<void> {
  const { integer, name, serial } = capabilitiesOf(engine);
  const [number, text] = [sql.raw(integer), sql.raw(name)];
  await db.schema
    .createTable('outbox')
    .addColumn('id', sql.raw(serial), (column) => column.notNull().primaryKey())
    .addColumn('uid', 'text', (column) => column.notNull())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('subject', text, (column) => column.notNull())
    .addColumn('project', text)
    .addColumn('repository', text)
    .addColumn('severity', 'text')
    .addColumn('batch', 'text')
    .addColumn('data', 'text', (column) => column.notNull())
    .addColumn('at', number, (column) => column.notNull())
    .addColumn('batch_id', 'text')
    .addColumn('dispatched_at', number)
    .execute();
  await sql`create index outbox_waiting on outbox (id) where dispatched_at is null`.execute(db);
  await sql`create index outbox_by_batch on outbox (batch_id, id) where batch_id is not null`.execute(db);
  await sql`create index outbox_dispatched on outbox (dispatched_at) where dispatched_at is not null`.execute(db);
  await db.schema
    .createTable('notify_once')
    .addColumn('key', text, (column) => column.notNull().primaryKey())
    .addColumn('until', number, (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('notify_batches')
    .addColumn('id', 'text', (column) => column.notNull().primaryKey())
    .addColumn('key', 'text', (column) => column.notNull())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('opened_at', number, (column) => column.notNull())
    .addColumn('last_at', number, (column) => column.notNull())
    .addColumn('closed_at', number)
    .execute();
  await sql`create unique index notify_batches_open on notify_batches (key) where closed_at is null`.execute(db);
}

async function receivers(db: Kysely<unknown>, engine: Engine): Promise<void> {
  const { integer, name } = capabilitiesOf(engine);
  const [number, text] = [sql.raw(integer), sql.raw(name)];
  await db.schema
    .createTable('notify_receivers')
    .addColumn('id', 'text', (column) => column.notNull().primaryKey())
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('project_id', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('target', 'text', (column) => column.notNull())
    .addColumn('shown', 'text', (column) => column.notNull())
    .addColumn('settings', 'text', (column) => column.notNull())
    .addColumn('paused', number, (column) => column.notNull())
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addColumn('created_at', number, (column) => column.notNull())
    .addColumn('failures', number, (column) => column.notNull())
    .addColumn('retry_at', number, (column) => column.notNull())
    .addColumn('lease', 'text')
    .addColumn('leased_until', number)
    .addColumn('digest_at', number)
    .addColumn('last_delivered_at', number)
    .addColumn('last_error', 'text')
    .addUniqueConstraint('notify_receivers_name', ['project_id', 'name'])
    .execute();
  await db.schema
    .createTable('notify_secrets')
    .addColumn('id', 'text', (column) => column.notNull().primaryKey())
    .addColumn('receiver_id', 'text', (column) => column.notNull())
    .addColumn('sealed', 'text', (column) => column.notNull())
    .addColumn('created_at', number, (column) => column.notNull())
    .addColumn('ends_at', number)
    .execute();
  await db.schema.createIndex('notify_secrets_by_receiver').on('notify_secrets').column('receiver_id').execute();
  await db.schema
    .createTable('notify_tickets')
    .addColumn('receiver_id', 'text', (column) => column.notNull())
    .addColumn('vulnerability', text, (column) => column.notNull())
    .addColumn('repository', text, (column) => column.notNull())
    .addColumn('ticket', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('content', 'text', (column) => column.notNull())
    .addColumn('updated_at', number, (column) => column.notNull())
    .addPrimaryKeyConstraint('notify_tickets_key', ['receiver_id', 'repository', 'vulnerability'])
    .execute();
}

async function messages(db: Kysely<unknown>, engine: Engine): Promise<void> {
  const { integer, name, serial } = capabilitiesOf(engine);
  const [number, text] = [sql.raw(integer), sql.raw(name)];
  await db.schema
    .createTable('notify_messages')
    .addColumn('id', sql.raw(serial), (column) => column.notNull().primaryKey())
    .addColumn('uid', 'text', (column) => column.notNull())
    .addColumn('receiver_id', 'text', (column) => column.notNull())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('subject', text, (column) => column.notNull())
    .addColumn('project', text)
    .addColumn('data', 'text', (column) => column.notNull())
    .addColumn('at', number, (column) => column.notNull())
    .addColumn('batch_id', 'text')
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('attempts', number, (column) => column.notNull())
    .addColumn('next_at', number, (column) => column.notNull())
    .addColumn('gives_up_at', number, (column) => column.notNull())
    .addColumn('settled_at', number)
    .addColumn('last_error', 'text')
    .addUniqueConstraint('notify_messages_uid', ['receiver_id', 'uid'])
    .execute();
  await sql`create index notify_messages_due on notify_messages (receiver_id, next_at) where state = 'waiting'`.execute(
    db,
  );
  await sql`create index notify_messages_order on notify_messages (receiver_id, subject, id) where state = 'waiting'`.execute(
    db,
  );
  await sql`create index notify_messages_held on notify_messages (receiver_id, id) where state = 'held'`.execute(db);
  await sql`create index notify_messages_settled on notify_messages (settled_at) where settled_at is not null`.execute(
    db,
  );
}
