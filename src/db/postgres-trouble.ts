import pg from 'pg';
import { unavailable } from './errors.ts';

/** SQLSTATEs (PostgreSQL, appendix A) that are about the server and not about the query, with what to say; the first that fits. */
const TROUBLE: readonly (readonly [state: RegExp, sentence: string])[] = [
  [/^53100$/, 'the disk of PostgreSQL is full'],
  [/^53300$/, 'PostgreSQL has no connection left'],
  [/^53/, 'PostgreSQL lacks memory or disk'],
  [/^57P0[123]$/, 'PostgreSQL is stopping or starting'],
  [/^58/, 'the disk of PostgreSQL fails'],
  [/^25006$/, 'PostgreSQL does not take changes: it is a standby or read-only'],
  [/^40(?:001|P01)$/, 'two requests waited for each other in PostgreSQL; this one was given up'],
  [/^08/, 'the connection to PostgreSQL broke'],
];
const BROKEN = /terminated|not queryable|timeout|connection/i;

/** What a failure of PostgreSQL, or of the connection to it, is thrown as. Anything that is the query's fault stays as it is. */
export function postgresFailure(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (error instanceof pg.DatabaseError) {
    const sentence = TROUBLE.find(([state]) => state.test(error.code ?? ''))?.[1];
    return sentence === undefined ? error : unavailable(`${sentence} (${error.code})`, error);
  }
  const code = 'code' in error ? String(error.code) : '';
  if (/^E[A-Z]+$/.test(code)) return unavailable(`PostgreSQL cannot be reached (${code})`, error);
  return BROKEN.test(error.message) ? unavailable('the connection to PostgreSQL broke', error) : error;
}
