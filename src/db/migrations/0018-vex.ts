import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { capabilitiesOf } from '../capabilities.ts';
import type { Engine } from '../engine.ts';

/** Authors of VEX, their documents, and the statements in them by vulnerability. */
export function vex(engine: Engine): Migration {
  return {
    async up(db) {
      const { integer, name, transactionalMigrations } = capabilitiesOf(engine);
      const [number, text] = [sql.raw(integer), sql.raw(name)];
      if (!transactionalMigrations) await sql`begin`.execute(db);
      await db.schema
        .createTable('vex_authors')
        .addColumn('id', 'text', (column) => column.notNull().primaryKey())
        .addColumn('name', text, (column) => column.notNull().unique())
        .addColumn('public_key', 'text', (column) => column.notNull())
        .addColumn('fingerprint', 'text', (column) => column.notNull().unique())
        .addColumn('products', 'text', (column) => column.notNull())
        .addColumn('statuses', 'text', (column) => column.notNull())
        .addColumn('criteria', 'text', (column) => column.notNull())
        .addColumn('findings', 'text', (column) => column.notNull())
        .addColumn('owner', 'text', (column) => column.notNull())
        .addColumn('review_due', number, (column) => column.notNull())
        .addColumn('added_by', 'text', (column) => column.notNull())
        .addColumn('added_at', number, (column) => column.notNull())
        .addColumn('retired_by', 'text')
        .addColumn('retired_at', number)
        .addColumn('retire_reason', 'text')
        .addColumn('revoked_at', number)
        .execute();
      await db.schema
        .createTable('vex_documents')
        .addColumn('id', 'text', (column) => column.notNull().primaryKey())
        .addColumn('project_id', 'text', (column) => column.notNull())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('digest', 'text', (column) => column.notNull())
        .addColumn('format', 'text', (column) => column.notNull())
        .addColumn('author_text', 'text', (column) => column.notNull())
        .addColumn('author_id', 'text')
        .addColumn('subjects', 'text')
        .addColumn('said_at', number, (column) => column.notNull())
        .addColumn('received_at', number, (column) => column.notNull())
        .addColumn('received_by', 'text', (column) => column.notNull())
        .addColumn('repository_id', 'text')
        .addColumn('manifest_digest', 'text')
        .addColumn('withdrawn_at', number)
        .addColumn('problems', 'text', (column) => column.notNull())
        .execute();
      await db.schema
        .createIndex('vex_documents_by_project')
        .on('vex_documents')
        .columns(['project_id', 'received_at'])
        .execute();
      await db.schema.createIndex('vex_documents_by_author').on('vex_documents').column('author_id').execute();
      await db.schema
        .createTable('vex_statements')
        .addColumn('document_id', 'text', (column) => column.notNull())
        .addColumn('position', number, (column) => column.notNull())
        .addColumn('status', 'text', (column) => column.notNull())
        .addColumn('justification', 'text')
        .addColumn('said_at', number, (column) => column.notNull())
        .addColumn('vulnerabilities', 'text', (column) => column.notNull())
        .addColumn('products', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('vex_statements_key', ['document_id', 'position'])
        .execute();
      await db.schema
        .createTable('vex_vulnerabilities')
        .addColumn('vulnerability', text, (column) => column.notNull())
        .addColumn('document_id', 'text', (column) => column.notNull())
        .addColumn('position', number, (column) => column.notNull())
        .addPrimaryKeyConstraint('vex_vulnerabilities_key', ['vulnerability', 'document_id', 'position'])
        .execute();
      await db.schema
        .createIndex('vex_vulnerabilities_by_document')
        .on('vex_vulnerabilities')
        .column('document_id')
        .execute();
      await db.schema
        .createTable('vex_subjects')
        .addColumn('digest', 'text', (column) => column.notNull())
        .addColumn('document_id', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('vex_subjects_key', ['digest', 'document_id'])
        .execute();
      await db.schema.createIndex('vex_subjects_by_document').on('vex_subjects').column('document_id').execute();
      await db.schema
        .createTable('vex_requests')
        .addColumn('key', 'text', (column) => column.notNull().primaryKey())
        .addColumn('project_id', 'text', (column) => column.notNull())
        .addColumn('document_id', 'text', (column) => column.notNull())
        .addColumn('exception_id', 'text', (column) => column.notNull())
        .addColumn('created_at', number, (column) => column.notNull())
        .execute();
      await db.schema.createIndex('vex_requests_by_project').on('vex_requests').column('project_id').execute();
      if (!transactionalMigrations) await sql`commit`.execute(db);
    },
  };
}
