import type { Db } from '../db/database.ts';
import type { Finding } from '../model/finding.ts';
import { compareText } from '../oci/canonical.ts';
import type { Digest } from '../oci/digest.ts';
import { type ClockReading, clockPackage } from '../policy/clocks.ts';
import { batches } from './batches.ts';

/** Where a clock counts: everything in a repository, and one manifest wherever it is stored. */
interface Place {
  readonly repositoryId: string;
  readonly digest: Digest;
}

/**
 * The clocks of an image's findings: when each vulnerability of a package was first seen in the repository or in this very
 * manifest anywhere, whichever was earlier. Clocks that do not run yet are started: in the place that did not know with what
 * the other one knew, so that neither rebuilding nor copying starts one anew.
 */
export async function clocksOf(
  db: Db,
  { repositoryId, digest }: Place,
  findings: readonly Finding[],
  now: number,
): Promise<ClockReading[]> {
  const scopes = [`repository:${repositoryId}`, `digest:${digest}`];
  const running = await readClocks(db, scopes, findings);
  const readings: ClockReading[] = [];
  const started: ({ readonly scope: string } & ClockReading)[] = [];
  for (const finding of distinct(findings)) {
    const name = clockPackage(finding.package);
    const seen = [finding.id, ...finding.aliases].flatMap((id) => running.get(`${id} ${name}`) ?? []);
    const firstSeen = Math.min(now, ...seen.map((clock) => clock.firstSeen));
    const reading = { vulnerability: finding.id, package: name, firstSeen };
    readings.push(reading);
    for (const scope of scopes) if (!seen.some((clock) => clock.scope === scope)) started.push({ scope, ...reading });
  }
  await startClocks(db, started);
  return readings;
}

async function readClocks(db: Db, scopes: readonly string[], findings: readonly Finding[]) {
  const running = new Map<string, { readonly scope: string; readonly firstSeen: number }[]>();
  const ids = [...new Set(findings.flatMap((finding) => [finding.id, ...finding.aliases]))];
  for (const batch of batches(ids)) {
    const rows = await db
      .selectFrom('clocks')
      .selectAll()
      .where('scope', 'in', scopes)
      .where('vulnerability', 'in', batch)
      .execute();
    for (const row of rows) {
      const key = `${row.vulnerability} ${row.package}`;
      const known = running.get(key) ?? [];
      known.push({ scope: row.scope, firstSeen: row.first_seen });
      running.set(key, known);
    }
  }
  return running;
}

async function startClocks(db: Db, clocks: readonly ({ readonly scope: string } & ClockReading)[]): Promise<void> {
  const rows = clocks.map(({ scope, vulnerability, package: name, firstSeen }) => ({
    scope,
    vulnerability,
    package: name,
    first_seen: firstSeen,
  }));
  // Sorted, so that two pushes of the same findings take their locks in the same order.
  rows.sort((a, b) => compareText(a.vulnerability, b.vulnerability) || compareText(a.package, b.package));
  for (const batch of batches(rows))
    await db
      .insertInto('clocks')
      .values(batch)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
}

/** Two versions of a package in one image share their clock. */
function distinct(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((finding) => [`${finding.id} ${clockPackage(finding.package)}`, finding])).values()];
}
