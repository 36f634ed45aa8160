import { sql } from 'kysely';
import { batches } from '../db/batches.ts';
import type { Db } from '../db/database.ts';
import type { Finding } from '../model/finding.ts';
import { compareText } from '../oci/canonical.ts';
import type { Digest } from '../oci/digest.ts';
import { clockKey, clockPackage } from '../policy/clocks.ts';
import { clocksOfSheet, sheetOf } from './clock-sheet.ts';
import { type Reckoning, reckon } from './reckon.ts';

/** Where clocks count: everything in a repository, and one manifest wherever it is stored. */
interface Place {
  readonly repositoryId: string;
  readonly digest: Digest;
}

const ROWS = 1000;

/** The clocks of one image's findings. Those that do not run yet are started by `startClocks`. */
export async function clocksOf(db: Db, place: Place, findings: readonly Finding[], now: number): Promise<Reckoning> {
  const ids = [...new Set(findings.flatMap((finding) => [finding.id, ...finding.aliases]))];
  const repository = new Map<string, number>();
  for (const batch of batches(ids)) {
    const rows = await selectOfRepository(db, place.repositoryId).where('vulnerability', 'in', batch).execute();
    for (const row of rows) repository.set(clockKey(row.vulnerability, row.package), row.first_seen);
  }
  const images = await clocksOfImages(db, [place.digest]);
  return reckon(findings, repository, images.get(place.digest) ?? new Map(), now);
}

/** All clocks of a repository. */
export async function clocksOfRepository(db: Db, repositoryId: string): Promise<Map<string, number>> {
  const rows = await selectOfRepository(db, repositoryId).execute();
  return new Map(rows.map((row) => [clockKey(row.vulnerability, row.package), row.first_seen]));
}

/** All clocks of manifests; those without any are left out. */
export async function clocksOfImages(db: Db, digests: readonly Digest[]): Promise<Map<string, Map<string, number>>> {
  const clocks = new Map<string, Map<string, number>>();
  for (const batch of batches(digests)) {
    const rows = await db.selectFrom('image_clocks').selectAll().where('digest', 'in', batch).execute();
    for (const row of rows) clocks.set(row.digest, clocksOfSheet(row.clocks));
  }
  return clocks;
}

/** Starts the clocks that did not run when they were reckoned. In one order, so that two who do so take their locks alike. */
export async function startClocks(
  db: Db,
  reckonings: readonly (Place & { readonly reckoning: Reckoning })[],
): Promise<void> {
  const rows = new Map<string, ReturnType<typeof asRow>>();
  const sheets = new Map<string, string>();
  for (const { repositoryId, digest, reckoning } of reckonings) {
    const { clocks, newInRepository, newInImage } = reckoning;
    const firstSeen = (key: string): number => clocks.get(key) ?? Number.NaN;
    for (const [key, finding] of newInRepository) {
      const unique = `${repositoryId} ${key}`;
      const known = rows.get(unique)?.first_seen ?? Number.POSITIVE_INFINITY;
      if (firstSeen(key) < known) rows.set(unique, asRow(repositoryId, finding, firstSeen(key)));
    }
    const lines = sheetOf([...newInImage.keys()].map((key) => [key, firstSeen(key)]));
    if (lines !== '') sheets.set(digest, (sheets.get(digest) ?? '') + lines);
  }
  const byKey = [...rows].sort(([a], [b]) => compareText(a, b)).map(([, row]) => row);
  for (const batch of batches(byKey, ROWS))
    await db
      .insertInto('clocks')
      .values(batch)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  const byDigest = [...sheets].sort(([a], [b]) => compareText(a, b)).map(([digest, clocks]) => ({ digest, clocks }));
  for (const batch of batches(byDigest))
    await db
      .insertInto('image_clocks')
      .values(batch)
      .onConflict((conflict) =>
        // Appended, not replaced: whoever else starts clocks of this manifest now keeps theirs.
        conflict.column('digest').doUpdateSet({ clocks: sql`image_clocks.clocks || excluded.clocks` }),
      )
      .execute();
}

function selectOfRepository(db: Db, repositoryId: string) {
  return db.selectFrom('clocks').selectAll().where('scope', '=', `repository:${repositoryId}`);
}

function asRow(repositoryId: string, finding: Finding, firstSeen: number) {
  return {
    scope: `repository:${repositoryId}`,
    vulnerability: finding.id,
    package: clockPackage(finding.package),
    first_seen: firstSeen,
  };
}
