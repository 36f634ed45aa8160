import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { Readable } from './check-stored.ts';
import { EVERY_PROJECT, type ExceptionSubject, toSubject } from './exception.ts';
import type { Place } from './exception-rows.ts';
import { packagesOfSource } from './packages-of-source.ts';

/**
 * When the first of the exceptions that a request continues began to count, epoch ms; undefined when it continues none. What is asked
 * for again while it still counts continues that, under whatever name: another id of the vulnerability, another package of the same
 * source, a wider or narrower scope, for the project or for all. Else the limit of a life would be one of words.
 */
export async function lifeOf(
  db: Db,
  place: Place & { readonly readable: Readable },
  subject: ExceptionSubject,
  renews: string | null,
  now: number,
): Promise<number | undefined> {
  const ids = await idsOf(db, subject);
  let select = db
    .selectFrom('exceptions as e')
    .leftJoin('projects as p', 'p.id', 'e.project_id')
    .selectAll('e')
    .where('e.state', '=', 'granted')
    .where((where) =>
      where.or([
        where('e.id', '=', renews ?? ''),
        where.and([where(sql`lower(e.vulnerability)`, 'in', ids), where('e.until', '>', now)]),
      ]),
    );
  if (place.id !== EVERY_PROJECT) select = select.where('e.project_id', 'in', [place.id, EVERY_PROJECT]);
  else if (place.readable !== 'all') {
    const names = [...place.readable];
    select = select.where((where) =>
      where.or([
        where('e.project_id', '=', EVERY_PROJECT),
        ...(names.length > 0 ? [where('p.name', 'in', names)] : []),
      ]),
    );
  }
  const rows = await select.execute();
  const family = rows.length === 0 ? undefined : await packagesOfSource(db, subject, place.readable);
  const continued = rows.filter((row) => row.id === renews || isSameRisk(toSubject(row), subject, family));
  const moments = continued.flatMap((row) => row.life_from ?? row.valid_from ?? []);
  return moments.length === 0 ? undefined : Math.min(...moments);
}

/** Every id the vulnerability is known under here, in lower case. */
async function idsOf(db: Db, { vulnerability = '' }: ExceptionSubject): Promise<string[]> {
  const own = vulnerability.toLowerCase();
  const { rows } = await sql<{ name: string }>`
    select distinct o.name from finding_names n join finding_names o on o.finding_id = n.finding_id where n.name = ${own}`.execute(
    db,
  );
  return [...new Set([own, ...rows.map(({ name }) => name)])];
}

/**
 * About the same, as far as the limit of a life goes. Repositories, platforms and versions make no difference: whoever asks for a little less, or for
 * the place beside it, asks for the same risk; another image does, when both name one.
 */
function isSameRisk(a: ExceptionSubject, b: ExceptionSubject, family: ReadonlySet<string> | undefined): boolean {
  if (a.rule !== b.rule) return false;
  if (a.digest !== undefined && b.digest !== undefined && a.digest !== b.digest) return false;
  if (a.package === undefined || b.package === undefined || a.package === b.package) return true;
  if (a.packageType !== undefined && b.packageType !== undefined && a.packageType !== b.packageType) return false;
  return family?.has(a.package) === true;
}
