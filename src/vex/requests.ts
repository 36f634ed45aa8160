import type { Principal } from '../auth/principal.ts';
import { batches } from '../db/batches.ts';
import type { Db } from '../db/database.ts';
import type { Digest } from '../oci/digest.ts';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { VexStatement } from '../scanner/vex/types.ts';
import type { Requests } from './ports.ts';
import { type WantedException, wantedExceptions } from './wanted-exceptions.ts';

/** Of one document, and open at a time in a project: a list that nobody can read decides nothing. */
const MOST_OF_DOCUMENT = 25;
const MOST_OPEN = 200;
const MOST_REPOSITORIES = 10_000;

export interface RequestingDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly exceptions: Requests;
}

interface Asking {
  readonly by: Principal;
  readonly project: { readonly id: string; readonly name: string };
  readonly document: { readonly id: string; readonly name: string };
  readonly statements: readonly VexStatement[];
  /** The images a document is attached to; absent for what was handed in. */
  readonly images?: readonly Digest[];
}

/**
 * Makes requests for exceptions of statements that count for nothing, so that a person decides. One for each author's text,
 * vulnerability and product, ever. Gives how many were made, and how many more there would have been.
 */
export async function requestExceptions(
  deps: RequestingDeps,
  { by, project, document, statements, images }: Asking,
): Promise<{ readonly requested: readonly string[]; readonly left: number }> {
  const { db } = deps;
  const repositories = await db
    .selectFrom('repositories')
    .select(['id', 'name'])
    .where('project_id', '=', project.id)
    .limit(MOST_REPOSITORIES)
    .execute();
  const wanted = wantedExceptions(statements, {
    projectId: project.id,
    document: document.name,
    repositories: repositories.map(({ name }) => name.slice(project.name.length + 1)),
    found: await foundAmong(db, repositories, statements),
    ...(images ? { images } : {}),
  });
  const open = await openRequests(db, project.id);
  const requested: string[] = [];
  const seen = new Set<string>();
  let left = 0;
  for (const one of wanted) {
    if (seen.has(one.key) || !(await isNew(db, one.key))) continue;
    seen.add(one.key);
    if (requested.length >= MOST_OF_DOCUMENT || open + requested.length >= MOST_OPEN) left += 1;
    else {
      const id = await request(deps, { by, project, document }, one);
      if (id !== undefined) requested.push(id);
    }
    if (left >= MOST_OPEN) break;
  }
  return { requested, left };
}

async function request(
  { db, clock, logger, exceptions }: RequestingDeps,
  { by, project, document }: Pick<Asking, 'by' | 'project' | 'document'>,
  { key, ...wanted }: WantedException,
): Promise<string | undefined> {
  const now = clock.now();
  // First, so that of two at once one asks.
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('vex_requests')
    .values({ key, project_id: project.id, document_id: document.id, exception_id: '', created_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (!numInsertedOrUpdatedRows) return undefined;
  try {
    const until = await exceptions.furthestEnd(project.id, wanted.vulnerability);
    const { id } = await exceptions.request(by, project, { ...wanted, until });
    await db.updateTable('vex_requests').set({ exception_id: id }).where('key', '=', key).execute();
    return id;
  } catch (error) {
    await db.deleteFrom('vex_requests').where('key', '=', key).execute();
    logger.warn({ document: document.name, reason: messageOf(error) }, 'no exception could be asked for');
    return undefined;
  }
}

/** Which of the vulnerabilities were found in a project, by its clocks. */
async function foundAmong(
  db: Db,
  repositories: readonly { readonly id: string }[],
  statements: readonly VexStatement[],
): Promise<ReadonlySet<string>> {
  const ids = [...new Set(statements.flatMap(({ vulnerabilities }) => vulnerabilities))];
  const found = new Set<string>();
  for (const scopes of batches(repositories.map(({ id }) => `repository:${id}`)))
    for (const some of batches(ids)) {
      const rows = await db
        .selectFrom('clocks')
        .select('vulnerability')
        .distinct()
        .where('scope', 'in', scopes)
        .where('vulnerability', 'in', some)
        .execute();
      for (const { vulnerability } of rows) found.add(vulnerability.toUpperCase());
    }
  return found;
}

async function openRequests(db: Db, projectId: string): Promise<number> {
  const { open } = await db
    .selectFrom('vex_requests as v')
    .innerJoin('exceptions as e', 'e.id', 'v.exception_id')
    .select(({ fn }) => fn.countAll().as('open'))
    .where('v.project_id', '=', projectId)
    .where('e.state', '=', 'requested')
    .executeTakeFirstOrThrow();
  return Number(open);
}

async function isNew(db: Db, key: string): Promise<boolean> {
  const row = await db.selectFrom('vex_requests').select('key').where('key', '=', key).executeTakeFirst();
  return row === undefined;
}
