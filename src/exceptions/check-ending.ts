import type { Db } from '../db/database.ts';
import type { Clock } from '../platform/clock.ts';
import type { Readable } from './check-stored.ts';
import type { NewException } from './exception.ts';
import type { Place } from './exception-rows.ts';
import { knownRisk } from './known-risk.ts';
import { lifeOf } from './life.ts';
import { checkEnd, type LimitSource, type Limits } from './limits.ts';

/** A place with the limits that count there, and what may be looked into for what was left unsaid. */
export type Where = Place & { readonly within: Limits; readonly readable: Readable };

/**
 * Since when what is asked for, with all it continues, counts, epoch ms; undefined when it continues nothing. `began`: it is known to have begun
 * then, or with this (null). Throws `ExceptionError('exception_invalid')` for an end that may not be.
 */
export async function checkEnding(
  deps: { readonly db: Db; readonly limits: Pick<LimitSource, 'knownAs'>; readonly clock: Clock },
  place: Where,
  asked: NewException,
  { renews, began }: { readonly renews: string | null; readonly began?: number | null },
): Promise<number | undefined> {
  const now = deps.clock.now();
  const { names, severity } = await knownRisk(deps.db, deps.limits, asked.vulnerability);
  const continued = await lifeOf(deps.db, place, { subject: asked, names, renews }, now);
  const lifeFrom = began === undefined ? continued : Math.min(continued ?? now, began ?? now);
  checkEnd(place.within, { severity, until: asked.until, lifeFrom }, now);
  return lifeFrom;
}
