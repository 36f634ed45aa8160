import { sql } from 'kysely';
import { batches } from '../db/batches.ts';
import type { Tx } from '../db/database.ts';
import { statementOfRows } from '../db/statement.ts';

/** What changes in what is listed of an image. */
export interface ImageChange {
  readonly repository: number;
  readonly digest: string;
  /** Absent for an image that is listed for the first time. */
  readonly number: number | undefined;
  /** All that it has now, as `writeList` gives it. */
  readonly findings: string;
  /** Numbers of findings. */
  readonly came: readonly number[];
  readonly went: readonly number[];
}

/** That an image of a repository has a finding: what tells where a finding is. */
interface Place {
  readonly finding_id: number;
  readonly repository: number;
  readonly image: number;
}

/** Writes what images have now, and where findings are. */
export async function writeImages(tx: Tx, changes: readonly ImageChange[]): Promise<void> {
  const added = await addImages(tx, changes);
  await updateImages(tx, changes);
  const came: Place[] = [];
  const went: Place[] = [];
  for (const { repository, digest, number, ...change } of changes) {
    const image = number ?? added.get(`${repository} ${digest}`) ?? 0;
    for (const finding_id of change.came) came.push({ finding_id, repository, image });
    for (const finding_id of change.went) went.push({ finding_id, repository, image });
  }
  for (const batch of batches(came)) await tx.insertInto('image_findings').values(batch).execute();
  await forgetPlaces(tx, went);
}

/** Numbers of those that are listed for the first time. */
async function addImages(tx: Tx, changes: readonly ImageChange[]): Promise<ReadonlyMap<string, number>> {
  const added = new Map<string, number>();
  const fresh = changes.filter(({ number }) => number === undefined);
  for (const batch of batches(fresh)) {
    const { rows } = await insertImages(
      tx,
      batch.map(({ repository, digest, findings }) => ({ repository, digest, findings })),
    );
    for (const { number, repository, digest } of rows) added.set(`${repository} ${digest}`, number);
  }
  return added;
}

const insertImages = statementOfRows((db, rows: readonly Pick<ImageChange, 'repository' | 'digest' | 'findings'>[]) =>
  db
    .insertInto('finding_images')
    .values(rows.map(({ repository, digest, findings }) => ({ repository, digest, findings })))
    .returning(['number', 'repository', 'digest']),
);

async function updateImages(tx: Tx, changes: readonly ImageChange[]): Promise<void> {
  const known = changes.filter(({ number }) => number !== undefined);
  for (const batch of batches(known)) {
    const rows = batch.map(({ number, findings }) => sql`(cast(${number} as integer), ${findings})`);
    await sql`update finding_images set findings = n.findings
      from (with n (number, findings) as (values ${sql.join(rows)}) select * from n) as n
      where finding_images.number = n.number`.execute(tx);
  }
}

/** Takes findings of images out of what tells where a finding is. */
export async function forgetPlaces(tx: Tx, places: readonly Place[]): Promise<void> {
  for (const batch of batches(places)) {
    const rows = batch.map(
      ({ finding_id, repository, image }) =>
        sql`(cast(${finding_id} as integer), cast(${repository} as integer), cast(${image} as integer))`,
    );
    await sql`delete from image_findings where (finding_id, repository, image) in (values ${sql.join(rows)})`.execute(
      tx,
    );
  }
}
