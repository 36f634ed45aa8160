import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import { type ExceptionSubject, toSubject } from './exception.ts';
import type { Place } from './exception-rows.ts';

/**
 * When the first of the exceptions that a request continues began to count, epoch ms; undefined when it continues none. What is asked
 * for again while it still counts continues that, whether it says so or not: else the limit of a life would be one of words.
 */
export async function lifeOf(
  db: Db,
  place: Place,
  subject: ExceptionSubject,
  renews: string | null,
  now: number,
): Promise<number | undefined> {
  const { vulnerability = '' } = subject;
  const rows = await db
    .selectFrom('exceptions')
    .selectAll()
    .where('project_id', '=', place.id)
    .where('state', '=', 'granted')
    .where((where) =>
      where.or([
        where('id', '=', renews ?? ''),
        where.and([where(sql`lower(vulnerability)`, '=', vulnerability.toLowerCase()), where('until', '>', now)]),
      ]),
    )
    .execute();
  const wanted = nameOf(subject);
  const continued = rows.filter((row) => row.id === renews || nameOf(toSubject(row)) === wanted);
  const moments = continued.flatMap((row) => row.life_from ?? row.valid_from ?? []);
  return moments.length === 0 ? undefined : Math.min(...moments);
}

/** What it names, however it is narrowed: whoever asks for a little less still asks for the same risk. */
function nameOf({ vulnerability, rule, package: name, digest }: ExceptionSubject): string {
  return JSON.stringify([vulnerability?.toLowerCase(), rule, name, digest]);
}
