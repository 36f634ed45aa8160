import type { Db, Tx } from '../db/database.ts';
import { applyDifferences, type Differences, note } from './counts.ts';
import { forgetPlaces } from './image-rows.ts';
import { readList } from './status.ts';

/** Takes a manifest out of the list, in the transaction that deletes it and after its row is gone. */
export async function forgetImage(tx: Tx, repositoryId: string, digest: string): Promise<void> {
  const image = await tx
    .selectFrom('finding_images as i')
    .innerJoin('finding_repositories as r', 'r.number', 'i.repository')
    .select(['i.number', 'i.repository', 'i.findings'])
    .where('r.repository_id', '=', repositoryId)
    .where('i.digest', '=', digest)
    .executeTakeFirst();
  if (!image) return;
  const { number, repository } = image;
  const listed = readList(image.findings);
  const differences: Differences = new Map();
  for (const [finding, from] of listed) note(differences, { repository, finding }, { from });
  await applyDifferences(tx, differences);
  await forgetPlaces(
    tx,
    [...listed.keys()].map((finding_id) => ({ finding_id, repository, image: number })),
  );
  await tx.deleteFrom('finding_images').where('number', '=', number).execute();
}

/** Takes the repositories of a project out of the list, in the transaction that deletes them. */
export async function forgetProject(tx: Tx, projectId: string): Promise<void> {
  const rows = await tx
    .selectFrom('finding_repositories')
    .select('number')
    .where('project_id', '=', projectId)
    .orderBy('number')
    .execute();
  for (const { number } of rows) {
    await tx
      .deleteFrom('image_findings')
      .where('finding_id', 'in', (query) =>
        query.selectFrom('repository_findings').select('finding_id').where('repository', '=', number),
      )
      .where('repository', '=', number)
      .execute();
    await tx.deleteFrom('repository_findings').where('repository', '=', number).execute();
    await tx.deleteFrom('finding_groups').where('repository', '=', number).execute();
    await tx.deleteFrom('finding_images').where('repository', '=', number).execute();
  }
  await tx.deleteFrom('finding_repositories').where('project_id', '=', projectId).execute();
}

/** Deletes findings that no image has any more. Gives their number. */
export async function forgetUnheld(db: Db): Promise<number> {
  return db.transaction().execute(async (tx) => {
    const gone = await tx
      .deleteFrom('findings')
      .where((eb) =>
        eb.not(
          eb.exists(
            eb
              .selectFrom('repository_findings as g')
              .select('g.finding_id')
              .whereRef('g.finding_id', '=', 'findings.id'),
          ),
        ),
      )
      .executeTakeFirst();
    if (gone.numDeletedRows > 0n)
      await tx
        .deleteFrom('finding_names')
        .where('finding_id', 'not in', (query) => query.selectFrom('findings').select('id'))
        .execute();
    return Number(gone.numDeletedRows);
  });
}
