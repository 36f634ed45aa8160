import { batches } from '../db/batches.ts';
import type { Tx } from '../db/database.ts';
import { type Placed, selectPresent } from '../db/present.ts';
import { locksRows } from '../db/repository-lock.ts';
import { statement, statementOfRows } from '../db/statement.ts';
import { compareText } from '../oci/canonical.ts';
import { applyDifferences, type Differences, note } from './counts.ts';
import type { Found } from './found.ts';
import { type ImageChange, writeImages } from './image-rows.ts';
import { type FindingLine, type KnownFindings, numbersOf } from './known-findings.ts';
import { readList, writeList } from './status.ts';

/** What the verdict on a manifest says, as it is to stand in the list. */
export interface ListedImage {
  readonly repositoryId: string;
  readonly repository: string;
  readonly projectId: string;
  readonly digest: string;
  readonly found: readonly Found[];
}

interface Listed {
  readonly number: number;
  readonly findings: string;
}

/**
 * Has the list say what these verdicts say, in the transaction that keeps them and after their rows were written: nobody else can then
 * do the same. Writes what is different from what stands there. Manifests that are no longer stored are left out.
 * `newest` is false for verdicts that were kept before, which know only older scores.
 */
export async function keepFindings(
  tx: Tx,
  images: readonly ListedImage[],
  known: KnownFindings,
  { newest }: { readonly newest: boolean },
): Promise<void> {
  const stored = await storedAmong(tx, images);
  if (stored.length === 0) return;
  const repositories = await repositoryNumbers(tx, stored);
  const before = await listedAmong(tx, stored, repositories);
  const numberOf = await numbersOf(tx, linesOf(stored), known, newest);
  const differences: Differences = new Map();
  const changes: ImageChange[] = [];
  for (const image of stored) {
    const repository = repositories.get(image.repositoryId) ?? 0;
    const listed = before.get(`${repository} ${image.digest}`);
    const now = new Map(
      image.found.map((found) => {
        const { id, package: number } = numberOf(found.line.identity);
        return [id, { ...found, package: number }];
      }),
    );
    const findings = writeList(new Map([...now].map(([number, { status }]) => [number, status])));
    if (listed?.findings === findings) continue;
    const was = readList(listed?.findings ?? '');
    const [came, went]: [number[], number[]] = [[], []];
    for (const [finding, { line, status, firstSeen, package: number }] of now) {
      const from = was.get(finding);
      if (from === status) continue;
      const begins = { traits: line.traits, package: number, firstSeen };
      note(differences, { repository, finding }, { from, to: status, came: from === undefined ? begins : undefined });
      if (from === undefined) came.push(finding);
    }
    for (const [finding, from] of was)
      if (!now.has(finding)) {
        went.push(finding);
        note(differences, { repository, finding }, { from });
      }
    changes.push({ repository, digest: image.digest, number: listed?.number, findings, came, went });
  }
  await applyDifferences(tx, differences);
  await writeImages(tx, changes);
}

function linesOf(images: readonly ListedImage[]): ReadonlyMap<string, FindingLine> {
  return new Map(images.flatMap(({ found }) => found.map(({ line }) => [line.identity, line])));
}

/** Those that are stored now, and stay so until the transaction ends. */
async function storedAmong(tx: Tx, images: readonly ListedImage[]): Promise<readonly ListedImage[]> {
  const stored = new Set<string>();
  for (const [repositoryId, own] of byRepository(images))
    for (const batch of batches(own.map(({ digest }) => digest))) {
      const { rows } = await holdStored(
        tx,
        batch.map((digest) => ({ repositoryId, digest })),
      );
      for (const { digest } of rows) stored.add(`${repositoryId} ${digest}`);
    }
  return images.filter(({ repositoryId, digest }) => stored.has(`${repositoryId} ${digest}`));
}

const holdStored = statementOfRows((db, rows: readonly Placed[]) => {
  const query = selectPresent(db, 'manifests', rows);
  return locksRows(db) ? query.orderBy('digest').forKeyShare() : query;
});

function byRepository(images: readonly ListedImage[]) {
  return [...Map.groupBy(images, ({ repositoryId }) => repositoryId)].sort(([a], [b]) => compareText(a, b));
}

async function repositoryNumbers(tx: Tx, images: readonly ListedImage[]): Promise<ReadonlyMap<string, number>> {
  const numbers = new Map<string, number>();
  for (const [repositoryId, [image]] of byRepository(images)) {
    let [row] = (await selectNumber(tx, { repositoryId })).rows;
    if (!row && image) {
      await tx
        .insertInto('finding_repositories')
        .values({ repository_id: repositoryId, project_id: image.projectId, name: image.repository })
        .onConflict((conflict) => conflict.column('repository_id').doNothing())
        .execute();
      [row] = (await selectNumber(tx, { repositoryId })).rows;
    }
    if (row) numbers.set(repositoryId, row.number);
  }
  return numbers;
}

const selectNumber = statement((db, { repositoryId }: Pick<ListedImage, 'repositoryId'>) =>
  db.selectFrom('finding_repositories').select('number').where('repository_id', '=', repositoryId),
);

async function listedAmong(
  tx: Tx,
  images: readonly ListedImage[],
  repositories: ReadonlyMap<string, number>,
): Promise<ReadonlyMap<string, Listed>> {
  const listed = new Map<string, Listed>();
  for (const [repositoryId, own] of byRepository(images)) {
    const repository = repositories.get(repositoryId) ?? 0;
    for (const batch of batches(own.map(({ digest }) => digest))) {
      const { rows } = await selectListed(
        tx,
        batch.map((digest) => ({ repository, digest })),
      );
      for (const row of rows) listed.set(`${repository} ${row.digest}`, row);
    }
  }
  return listed;
}

const selectListed = statementOfRows((db, rows: readonly { readonly repository: number; readonly digest: string }[]) =>
  db
    .selectFrom('finding_images')
    .select(['number', 'digest', 'findings'])
    .where('repository', '=', rows[0]?.repository ?? 0)
    .where(
      'digest',
      'in',
      rows.map(({ digest }) => digest),
    ),
);
