import type { PublishedStatement } from '../feeds/advisory.ts';

const SECDB = 'alpine-secdb';
const TRACKER = 'debian-tracker';

/**
 * The statements about one package without the copies that OSV made of another feed at hand: the
 * original is kept, with the date that only OSV has. What OSV says beyond that stays.
 */
export function mergeCopies(given: readonly PublishedStatement[]): readonly PublishedStatement[] {
  const statements = [...given];
  const originals = new Map<string, number>();
  for (const [i, statement] of statements.entries()) {
    if (statement.feed === SECDB) originals.set(substance(statement), i);
    else if (statement.feed === TRACKER) originals.set(statement.advisory, i);
  }
  if (originals.size === 0) return statements;
  const copies = new Set<number>();
  for (const [i, statement] of statements.entries()) {
    const at = originalOf(statement, statements, originals);
    const original = at === undefined ? undefined : statements[at];
    if (at === undefined || original === undefined) continue;
    statements[at] = { ...original, ...(statement.published ? { published: statement.published } : {}) };
    copies.add(i);
  }
  return statements.filter((_, i) => !copies.has(i));
}

/**
 * Where the original of a copy stands. OSV's Alpine records are made from Alpine's security database: a copy says the same.
 * Its `DEBIAN-CVE-…` records are made from the Debian security tracker, which is newer and says more: its word counts, also
 * where the two differ; advisories of the security team (DSA, DLA) are statements of their own.
 */
function originalOf(
  statement: PublishedStatement,
  statements: readonly PublishedStatement[],
  originals: ReadonlyMap<string, number>,
): number | undefined {
  if (statement.feed === 'osv:Debian') return originals.get(statement.advisory);
  if (statement.feed !== 'osv:Alpine' || statement.severities.length > 0) return undefined;
  const at = originals.get(substance(statement));
  return at !== undefined && statements[at]?.advisory === statement.advisory ? at : undefined;
}

function substance({ vulnerabilities, ranges, versions }: PublishedStatement): string {
  return JSON.stringify([vulnerabilities[0]?.[0], ranges, versions]);
}
