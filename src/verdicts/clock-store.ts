import { sql } from 'kysely';
import { batches } from '../db/batches.ts';
import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import { statementOfRows } from '../db/statement.ts';
import type { Finding } from '../model/finding.ts';
import { compareText } from '../oci/canonical.ts';
import type { Digest } from '../oci/digest.ts';
import type { ClockedParts } from '../policy/clocked-parts.ts';
import { type Clock, clockKey, clockPackage } from '../policy/clocks.ts';
import { marksText, readClock, SEEN } from './clock-marks.ts';
import { clocksOfSheet, sheetOf } from './clock-sheet.ts';
import { type Reckoning, reckon, type Started, seenAt } from './reckon.ts';

/** Where clocks count: everything in a repository, and one manifest wherever it is stored. */
interface Place {
  readonly repositoryId: string;
  readonly digest: Digest;
}

const ROWS = 1000;

/** The clocks of one image's findings. Those that do not run yet are started by `startClocks`. */
export async function clocksOf(
  db: Db,
  place: Place,
  {
    findings,
    partsOf,
  }: { readonly findings: readonly Finding[]; readonly partsOf: (finding: Finding) => ClockedParts },
  now: number,
): Promise<Reckoning> {
  const ids = [...new Set(findings.flatMap((finding) => [finding.id, ...finding.aliases]))];
  const repository = new Map<string, Clock>();
  for (const batch of batches(ids)) {
    const rows = await selectOfRepository(db, place.repositoryId).where('vulnerability', 'in', batch).execute();
    for (const row of rows)
      repository.set(clockKey(row.vulnerability, row.package), readClock(row.first_seen, row.marks));
  }
  const sheets = await sheetsOfImages(db, [place.digest]);
  const image = clocksOfSheet(sheets.get(place.digest) ?? '');
  return reckon(findings, { repository, image, partsOf }, now);
}

/** All clocks of a repository. */
export async function clocksOfRepository(db: Db, repositoryId: string): Promise<Map<string, Clock>> {
  const rows = await selectOfRepository(db, repositoryId).execute();
  return new Map(rows.map((row) => [clockKey(row.vulnerability, row.package), readClock(row.first_seen, row.marks)]));
}

/** The sheets of manifests; those without one are left out. */
export async function sheetsOfImages(db: Db, digests: readonly Digest[]): Promise<ReadonlyMap<string, string>> {
  const sheets = new Map<string, string>();
  for (const batch of batches(digests)) {
    const { rows } = await selectSheets(
      db,
      batch.map((digest) => ({ digest })),
    );
    for (const { digest, clocks } of rows) sheets.set(digest, clocks);
  }
  return sheets;
}

const selectSheets = statementOfRows((db, images: readonly { readonly digest: Digest }[]) =>
  db
    .selectFrom('image_clocks')
    .selectAll()
    .where(
      'digest',
      'in',
      images.map(({ digest }) => digest),
    ),
);

/** Starts the clocks that did not run when they were reckoned. In one order, so that two who do so take their locks alike. */
export async function startClocks(
  db: Db,
  reckonings: readonly (Place & { readonly reckoning: Reckoning })[],
): Promise<void> {
  const rows = new Map<string, Row<'clocks'>>();
  const sheets = new Map<string, string>();
  for (const { repositoryId, digest, reckoning } of reckonings) {
    for (const [key, started] of reckoning.newInRepository) {
      const unique = `${repositoryId} ${key}`;
      const row = asRow(repositoryId, started, reckoning.clocks.get(key));
      const known = rows.get(unique);
      rows.set(unique, known ? joined(known, row) : row);
    }
    const lines = sheetOf([...reckoning.newInImage].map(([key, { marks }]) => [key, marks]));
    if (lines !== '') sheets.set(digest, (sheets.get(digest) ?? '') + lines);
  }
  const byKey = [...rows].sort(([a], [b]) => compareText(a, b)).map(([, row]) => row);
  for (const batch of batches(byKey, ROWS))
    await db
      .insertInto('clocks')
      .values(batch)
      .onConflict((conflict) =>
        // Appended, and only to clocks with marks: what all began at once needs none.
        conflict
          .columns(['scope', 'vulnerability', 'package'])
          .doUpdateSet({ marks: sql`clocks.marks || excluded.marks` })
          .where('clocks.marks', 'is not', null),
      )
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

function asRow(repositoryId: string, { finding, marks }: Started, clock: Clock | undefined): Row<'clocks'> {
  return {
    scope: `repository:${repositoryId}`,
    vulnerability: finding.id,
    package: clockPackage(finding.package),
    // A clock that runs already keeps its own.
    first_seen: seenAt(marks) ?? clock?.firstSeen ?? Number.NaN,
    marks: marksText(marks.filter(({ name }) => name !== SEEN)),
  };
}

/** Two rows for one clock, of two images. */
function joined(a: Row<'clocks'>, b: Row<'clocks'>): Row<'clocks'> {
  return { ...a, first_seen: Math.min(a.first_seen, b.first_seen), marks: `${a.marks}${b.marks}` };
}
