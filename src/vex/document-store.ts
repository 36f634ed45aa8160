import { actorOf, type Principal } from '../auth/principal.ts';
import { batches } from '../db/batches.ts';
import type { Db, Tx } from '../db/database.ts';
import type { NewRow } from '../db/schema.ts';
import type { Actor } from '../ledger/chain.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Clock } from '../platform/clock.ts';
import { reasonProblem } from '../platform/reason.ts';
import { vexId } from '../scanner/vex/apply.ts';
import { productsToJson } from '../scanner/vex/stored-product.ts';
import type { VexStatement } from '../scanner/vex/types.ts';
import { type KeptDocument, toDocument } from './document.ts';
import { VexError } from './errors.ts';
import type { Rejudging, VexChange } from './ports.ts';

/** Of what nobody signed only so much is kept for each project: the newest. */
const MOST_UNPROVEN = 500;
const MOST_PROVEN = 20_000;
/** Statements of a document nobody signed that are kept, to explain why they do not count. */
const MOST_UNPROVEN_STATEMENTS = 1000;
const LONGEST_REASON = 4000;

export interface DocumentStoreDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly rejudging: Pick<Rejudging, 'mark'>;
}

export interface DocumentToKeep extends KeptDocument {
  readonly statements: readonly VexStatement[];
  /** The manifest it came with. */
  readonly manifest?: { readonly repositoryId: string; readonly digest: string };
}

/** Keeps documents with their statements. */
export type DocumentStore = ReturnType<typeof createDocumentStore>;

export function createDocumentStore({ db, clock, ledger, rejudging }: DocumentStoreDeps) {
  return {
    /**
     * Keeps a document, or replaces what was kept of the same bytes, in one transaction with the line in the ledger. `change` is what
     * it may change; marked when it counts.
     */
    async keep(
      actor: Actor,
      document: DocumentToKeep,
      target: { readonly project?: string; readonly change: VexChange },
    ): Promise<void> {
      const { projectId = '', statements } = document;
      const proven = document.authorId !== undefined;
      const kept = proven ? statements : statements.slice(0, MOST_UNPROVEN_STATEMENTS);
      await db.transaction().execute(async (tx) => {
        await forget(tx, document.id);
        await makeRoom(tx, projectId, proven);
        await tx.insertInto('vex_documents').values(rowOf(document)).execute();
        await insertStatements(tx, document, kept);
        if (proven) await rejudging.mark(tx, target.change);
        await ledger.append(tx, {
          actor,
          action: 'vex.import',
          target: target.project === undefined ? `vex/${document.id}` : `project/${target.project}`,
          details: {
            document: document.id,
            name: document.name,
            digest: document.digest,
            format: document.format,
            says: document.authorText,
            author: document.authorId ?? null,
            statements: statements.length,
          },
        });
      });
    },

    /** Documents that hold in a project, or in all, newest first; withdrawn ones too. */
    async list(projectId: string): Promise<KeptDocument[]> {
      const rows = await db
        .selectFrom('vex_documents')
        .selectAll()
        .where('project_id', 'in', [projectId, ''])
        .orderBy('received_at', 'desc')
        .orderBy('id')
        .limit(1000)
        .execute();
      return rows.map(toDocument);
    },

    async find(id: string): Promise<KeptDocument | undefined> {
      const row = await db.selectFrom('vex_documents').selectAll().where('id', '=', id).executeTakeFirst();
      return row && toDocument(row);
    },

    /** From now on nothing in it counts. Throws `VexError` `vex_unknown`, `vex_invalid`. */
    async withdraw(
      by: Principal,
      project: { readonly id: string; readonly name: string },
      id: string,
      reason: string,
    ): Promise<{ readonly document: KeptDocument; readonly change: VexChange }> {
      const problem = reasonProblem(reason, LONGEST_REASON);
      if (problem !== undefined) throw new VexError('vex_invalid', `withdrawing needs a reason: ${problem}`);
      return db.transaction().execute(async (tx) => {
        const row = await tx
          .selectFrom('vex_documents')
          .selectAll()
          .where('id', '=', id)
          .where('project_id', '=', project.id)
          .where('withdrawn_at', 'is', null)
          .executeTakeFirst();
        if (!row)
          throw new VexError(
            'vex_unknown',
            `project "${project.name}" has no document ${JSON.stringify(id.slice(0, 80))} of its own that is not withdrawn; see: breakwater vex list ${project.name}`,
          );
        const withdrawn = clock.now();
        await tx.updateTable('vex_documents').set({ withdrawn_at: withdrawn }).where('id', '=', id).execute();
        const document = { ...toDocument(row), withdrawnAt: withdrawn };
        const change = changeOf(document);
        if (row.author_id !== null) await rejudging.mark(tx, change);
        await ledger.append(tx, {
          actor: actorOf(by),
          action: 'vex.withdraw',
          target: `project/${project.name}`,
          details: { document: id, name: row.name, reason },
        });
        return { document, change };
      });
    },
  };
}

/** What a document may change the verdicts on. */
export function changeOf({ projectId, subjects }: Pick<KeptDocument, 'projectId' | 'subjects'>): VexChange {
  return {
    ...(projectId === undefined ? {} : { projectId }),
    ...(subjects === undefined ? {} : { digests: subjects }),
  };
}

async function forget(tx: Tx, id: string): Promise<void> {
  for (const table of ['vex_vulnerabilities', 'vex_subjects', 'vex_statements'] as const)
    await tx.deleteFrom(table).where('document_id', '=', id).execute();
  await tx.deleteFrom('vex_documents').where('id', '=', id).execute();
}

async function makeRoom(tx: Tx, projectId: string, proven: boolean): Promise<void> {
  const kept = await tx
    .selectFrom('vex_documents')
    .select('id')
    .where('project_id', '=', projectId)
    .where('author_id', proven ? 'is not' : 'is', null)
    .orderBy('received_at', 'desc')
    .orderBy('id')
    .execute();
  if (proven && kept.length >= MOST_PROVEN)
    throw new VexError(
      'vex_too_large',
      `${MOST_PROVEN} signed documents are kept for this project already; withdraw what is superseded`,
    );
  if (!proven) for (const { id } of kept.slice(MOST_UNPROVEN - 1)) await forget(tx, id);
}

function rowOf(document: DocumentToKeep): NewRow<'vex_documents'> {
  return {
    id: document.id,
    project_id: document.projectId ?? '',
    name: document.name,
    digest: document.digest,
    format: document.format,
    author_text: document.authorText,
    author_id: document.authorId ?? null,
    subjects: document.subjects === undefined ? null : JSON.stringify(document.subjects),
    said_at: document.saidAt,
    received_at: document.receivedAt,
    received_by: document.receivedBy,
    repository_id: document.manifest?.repositoryId ?? null,
    manifest_digest: document.manifest?.digest ?? null,
    withdrawn_at: null,
    problems: JSON.stringify(document.problems),
  };
}

async function insertStatements(
  tx: Tx,
  { id, saidAt, subjects }: DocumentToKeep,
  statements: readonly VexStatement[],
): Promise<void> {
  const rows = statements.map(({ status, justification, at, vulnerabilities, products }, position) => ({
    document_id: id,
    position,
    status,
    justification: justification ?? null,
    said_at: at ?? saidAt,
    vulnerabilities: JSON.stringify(vulnerabilities),
    products: productsToJson(products),
  }));
  for (const batch of batches(rows)) await tx.insertInto('vex_statements').values(batch).execute();
  const named = statements.flatMap(({ vulnerabilities }, position) =>
    [...new Set(vulnerabilities.map(vexId))].map((vulnerability) => ({ vulnerability, document_id: id, position })),
  );
  for (const batch of batches(named)) await tx.insertInto('vex_vulnerabilities').values(batch).execute();
  const bound = [...new Set(subjects)].map((digest) => ({ digest, document_id: id }));
  for (const batch of batches(bound)) await tx.insertInto('vex_subjects').values(batch).execute();
}
