import { batches } from '../db/batches.ts';
import type { Db } from '../db/database.ts';
import { compareText } from '../oci/canonical.ts';
import type { Digest } from '../oci/digest.ts';
import type { ProductMatch } from '../scanner/vex/match-product.ts';
import { productsOfJson } from '../scanner/vex/stored-product.ts';
import type { VexProduct, VexStatement, VexStatus } from '../scanner/vex/types.ts';
import { objectionToAuthor, toAuthor, type VexAuthor } from './author.ts';
import { type KeptDocument, toDocument } from './document.ts';
import type { VexPlace } from './ports.ts';
import { isInScope } from './product-scope.ts';

/** A statement with where it comes from and whose it is. */
export interface KeptStatement extends VexStatement {
  readonly from: KeptDocument;
  /** The declared author; absent: nobody proved to be it. */
  readonly by?: VexAuthor;
}

export interface WantedStatements {
  readonly projectId: string;
  /** As `vexId` gives them. */
  readonly ids: readonly string[];
  /** The image, by every digest it has: of what declared authors signed, what is bound to others is left out. */
  readonly digests: readonly Digest[];
}

/** The newest documents are enough to explain what came of them. */
const MOST_EXPLAINED = 1000;

/** Statements that name one of the vulnerabilities and may be about an image: those that declared authors signed, or all. */
export async function statementsAbout(
  db: Db,
  { projectId, ids, digests }: WantedStatements,
  which: 'signed' | 'all',
  now: number,
): Promise<readonly KeptStatement[]> {
  const rows = new Map<string, Awaited<ReturnType<typeof read>>[number]>();
  for (const batch of batches(ids))
    for (const row of await read(db, { projectId, ids: batch, digests }, which))
      rows.set(`${row.document_id} ${row.position}`, row);
  if (rows.size === 0) return [];
  const documents = new Map<string, KeptDocument>();
  for (const batch of batches([...new Set([...rows.values()].map((row) => row.document_id))]))
    for (const row of await db.selectFrom('vex_documents').selectAll().where('id', 'in', batch).execute())
      documents.set(row.id, toDocument(row));
  const authors = new Map(
    (await db.selectFrom('vex_authors').selectAll().execute()).map((row) => [row.id, toAuthor(row, now)]),
  );
  return [...rows.values()]
    .sort((a, b) => compareText(a.document_id, b.document_id) || a.position - b.position)
    .flatMap((row): KeptStatement[] => {
      const from = documents.get(row.document_id);
      if (!from) return [];
      const by = from.authorId === undefined ? undefined : authors.get(from.authorId);
      return [
        {
          vulnerabilities: JSON.parse(row.vulnerabilities) as string[],
          products: productsOfJson(row.products),
          status: row.status as VexStatus,
          ...(row.justification === null ? {} : { justification: row.justification }),
          author: by?.name ?? from.authorText,
          at: row.said_at,
          document: from.name,
          from,
          ...(by ? { by } : {}),
        },
      ];
    });
}

/** True when some statement names one of the vulnerabilities. */
export async function isAnyNamed(db: Db, ids: readonly string[]): Promise<boolean> {
  for (const batch of batches(ids)) {
    const row = await db
      .selectFrom('vex_vulnerabilities')
      .select('document_id')
      .where('vulnerability', 'in', batch)
      .limit(1)
      .executeTakeFirst();
    if (row) return true;
  }
  return false;
}

async function read(db: Db, { projectId, ids, digests }: WantedStatements, which: 'signed' | 'all') {
  let query = db
    .selectFrom('vex_vulnerabilities as v')
    .innerJoin('vex_statements as s', (join) =>
      join.onRef('s.document_id', '=', 'v.document_id').onRef('s.position', '=', 'v.position'),
    )
    .innerJoin('vex_documents as d', 'd.id', 'v.document_id')
    .select([
      's.document_id',
      's.position',
      's.status',
      's.justification',
      's.said_at',
      's.vulnerabilities',
      's.products',
    ])
    .where('v.vulnerability', 'in', ids)
    .where('d.project_id', 'in', ['', projectId]);
  if (which === 'all') return query.orderBy('d.received_at', 'desc').limit(MOST_EXPLAINED).execute();
  query = query
    .where('d.author_id', 'is not', null)
    .where('d.withdrawn_at', 'is', null)
    .where((where) =>
      where.or([
        where('d.subjects', 'is', null),
        where.exists(
          where
            .selectFrom('vex_subjects as x')
            .select('x.digest')
            .whereRef('x.document_id', '=', 'd.id')
            .where('x.digest', 'in', digests),
        ),
      ]),
    );
  return query.execute();
}

/** Why a statement must not count for an image though this product of it matches; undefined when it may. */
export function objectionFor({ repository }: VexPlace, digests: readonly Digest[]) {
  return (statement: KeptStatement, product: VexProduct, match: ProductMatch): string | undefined => {
    const { from, by, status } = statement;
    if (from.subjects !== undefined && !from.subjects.some((digest) => digests.includes(digest)))
      return 'its attestation is about other images';
    if (from.withdrawnAt !== undefined) return 'it was withdrawn';
    if (!by) return 'no declared author signed it';
    const gone = objectionToAuthor(by, from.receivedAt);
    if (gone !== undefined) return gone;
    if (!by.statuses.includes(status)) return `${by.name} may not say "${status}", only ${by.statuses.join(', ')}`;
    if (!isInScope(by.products, { repository, product, match }))
      return `${by.name} may speak of ${by.products.join(', ')} only`;
    return undefined;
  };
}
