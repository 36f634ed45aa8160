import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import type { Reason, Verdict } from '../model/verdict.ts';
import { toRfc3339 } from '../platform/clock.ts';
import { readDocument } from '../verdicts/verdict-list.ts';
import type { Budget } from './budget.ts';
import type { Line } from './lines.ts';
import { countsLine, reasonLine } from './reasons.ts';

const PAGE = 500;

/** Repositories by name and what is stored in them, with the verdicts as they were last computed. */
export async function readStored(
  db: Db,
  budget: Budget,
): Promise<{ readonly repositories: Line<'repositories'>[]; readonly manifests: Line<'manifests'>[] }> {
  const repositories: Line<'repositories'>[] = [];
  const manifests: Line<'manifests'>[] = [];
  for (let page = await repositoriesAfter(db, ''); page.length > 0; ) {
    for (const { id, name, created_at } of page) {
      const tags = await tagsOf(db, id);
      const before = manifests.length;
      for await (const line of manifestsOf(db, { id, name }, tags)) manifests.push(budget.take(line));
      repositories.push(
        budget.take({
          name,
          createdAt: toRfc3339(created_at),
          manifests: manifests.length - before,
          tags: tags.map((tag) => ({ name: tag.name, digest: tag.digest, updatedAt: toRfc3339(tag.updated_at) })),
        }),
      );
    }
    page = await repositoriesAfter(db, page.at(-1)?.name ?? '');
  }
  return { repositories, manifests };
}

async function repositoriesAfter(db: Db, name: string): Promise<Row<'repositories'>[]> {
  return db.selectFrom('repositories').selectAll().where('name', '>', name).orderBy('name').limit(PAGE).execute();
}

async function tagsOf(db: Db, repositoryId: string): Promise<Row<'tags'>[]> {
  return db.selectFrom('tags').selectAll().where('repository_id', '=', repositoryId).orderBy('name').execute();
}

async function* manifestsOf(
  db: Db,
  repository: { readonly id: string; readonly name: string },
  tags: readonly Row<'tags'>[],
): AsyncGenerator<Line<'manifests'>> {
  const tagged = Map.groupBy(tags, ({ digest }) => digest);
  for (let page = await manifestsAfter(db, repository.id, ''); page.length > 0; ) {
    for (const row of page) {
      const { digest, kind, size, document, advisories } = row;
      yield {
        repository: repository.name,
        digest,
        kind,
        mediaType: row.media_type,
        ...(row.artifact_type === null ? {} : { artifactType: row.artifact_type }),
        size,
        tags: (tagged.get(digest) ?? []).map(({ name }) => name),
        pushedBy: row.created_by,
        pushedAt: toRfc3339(row.created_at),
        ...(document === null || advisories === null
          ? {}
          : { verdict: verdictLine(readDocument({ document, advisories })) }),
      };
    }
    page = await manifestsAfter(db, repository.id, page.at(-1)?.digest ?? '');
  }
}

async function manifestsAfter(db: Db, repositoryId: string, digest: string) {
  return db
    .selectFrom('manifests as m')
    .leftJoin('verdicts as v', (join) =>
      join.onRef('v.repository_id', '=', 'm.repository_id').onRef('v.digest', '=', 'm.digest'),
    )
    .select(['m.digest', 'm.kind', 'm.media_type', 'm.artifact_type', 'm.size', 'm.created_by', 'm.created_at'])
    .select(['v.document', 'v.advisories'])
    .where('m.repository_id', '=', repositoryId)
    .where('m.digest', '>', digest)
    .orderBy('m.digest')
    .limit(PAGE)
    .execute();
}

function verdictLine(verdict: Verdict): NonNullable<Line<'manifests'>['verdict']> {
  const { kind, judgedAt, changesAt, counts, reasons, inputs } = verdict;
  const worst: Reason | undefined = reasons[0];
  const { advisories, policy, ...others } = inputs;
  return {
    kind,
    judgedAt: toRfc3339(judgedAt),
    ...(changesAt === undefined ? {} : { changesAt: toRfc3339(changesAt) }),
    counts: countsLine(counts),
    ...(worst === undefined ? {} : { worst: reasonLine(worst) }),
    reasons: reasons.length,
    advisories,
    policyVersion: policy,
    inputs: others,
  };
}
