import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { batches } from '../db/batches.ts';
import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import type { Readable } from './check-stored.ts';
import { EVERY_PROJECT, type ExceptionSubject, toSubject } from './exception.ts';
import type { Place } from './exception-rows.ts';
import type { KnownRisk } from './limits.ts';
import { packagesOfSource } from './packages-of-source.ts';

/** What is asked for anew after less than that goes on as if there had been no gap. */
const GAP = 30 * 86_400_000;

/** A request, and the names of what it is about. */
export interface Asked extends Pick<KnownRisk, 'names'> {
  readonly subject: ExceptionSubject;
  readonly renews: string | null;
}

/**
 * When the first of the exceptions that a request continues began to count, epoch ms; undefined when it continues none. What is asked
 * for again while it still counts, or less than `GAP` after it ended or was revoked, continues that, under whatever name: another id of the
 * vulnerability, another package of the same source, a wider or narrower scope, for the project or for all. Else the limit of a life would be one of words.
 */
export async function lifeOf(
  db: Db,
  place: Place & { readonly readable: Readable },
  { subject, names, renews }: Asked,
  now: number,
): Promise<number | undefined> {
  const rows: Row<'exceptions'>[] = [];
  for (const batch of batches([...names]))
    rows.push(...(await countedFor(db, place, sql<SqlBool>`lower(e.vulnerability) in (${sql.join(batch)})`, now)));
  if (subject.rule !== undefined)
    rows.push(...(await countedFor(db, place, sql<SqlBool>`e.rule = ${subject.rule}`, now)));
  if (renews !== null) rows.push(...(await db.selectFrom('exceptions').selectAll().where('id', '=', renews).execute()));
  const family = rows.length === 0 ? undefined : await packagesOfSource(db, subject, place.readable);
  const continued = rows.filter((row) => row.id === renews || isSameRisk(toSubject(row), subject, family));
  const moments = continued.flatMap((row) => row.life_from ?? row.valid_from ?? []);
  return moments.length === 0 ? undefined : Math.min(...moments);
}

/** What counts or counted until lately in a place, or for all, and is about something. */
function countedFor(
  db: Db,
  place: Place & { readonly readable: Readable },
  about: RawBuilder<SqlBool>,
  now: number,
): Promise<Row<'exceptions'>[]> {
  let select = db
    .selectFrom('exceptions as e')
    .leftJoin('projects as p', 'p.id', 'e.project_id')
    .selectAll('e')
    .where('e.state', 'in', ['granted', 'revoked'])
    // A request that was taken back never counted.
    .where('e.valid_from', 'is not', null)
    .where('e.until', '>', now - GAP)
    .where((where) => where.or([where('e.state', '=', 'granted'), where('e.decided_at', '>', now - GAP)]))
    .where(about);
  if (place.id !== EVERY_PROJECT) select = select.where('e.project_id', 'in', [place.id, EVERY_PROJECT]);
  else if (place.readable !== 'all') {
    const projects = [...place.readable];
    select = select.where((where) =>
      where.or([
        where('e.project_id', '=', EVERY_PROJECT),
        ...(projects.length > 0 ? [where('p.name', 'in', projects)] : []),
      ]),
    );
  }
  return select.execute();
}

/**
 * About the same, as far as the limit of a life goes. Repositories, platforms and versions make no difference: whoever asks for a little less, or for
 * the place beside it, asks for the same risk; another image does, when both name one.
 */
function isSameRisk(a: ExceptionSubject, b: ExceptionSubject, family: ReadonlySet<string> | undefined): boolean {
  if (a.rule !== b.rule) return false;
  if (a.digest !== undefined && b.digest !== undefined && a.digest !== b.digest) return false;
  if (a.package === undefined || b.package === undefined) return true;
  if (a.packageType !== undefined && b.packageType !== undefined && a.packageType !== b.packageType) return false;
  return a.package === b.package || family?.has(a.package) === true;
}
