import { actorOf, nameOf, type Principal, SYSTEM } from '../auth/principal.ts';
import { type RunningImages, readRunningImages } from '../cluster/running.ts';
import type { Db } from '../db/database.ts';
import { lockRepository } from '../db/repository-lock.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { breathe } from '../platform/breathe.ts';
import type { Clock } from '../platform/clock.ts';
import { newId } from '../platform/ids.ts';
import { readImmutableTags } from '../policy/immutable-tags.ts';
import { decideRetention, type Fate, type RetentionRule, ruleText } from '../policy/retention.ts';
import { expireTags } from '../registry/manifest-writer.ts';
import { listRepositories } from '../registry/repositories.ts';
import { type KnownTag, readTagFacts } from './facts.ts';
import { pullsSince } from './pull-times.ts';

export interface RunDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly ledger: Ledger;
}

/** What becomes of one tag. */
export interface TagFate extends Fate {
  /** Full name of the repository. */
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
  readonly pushedAt: number;
  readonly usedAt: number;
}

/** What a run did, or would do. */
export interface RetentionOutcome {
  readonly at: number;
  readonly examined: number;
  readonly removed: number;
  /** Those that go first, then those that stay; the first ten thousand of each. */
  readonly tags: readonly TagFate[];
}

export interface RunRequest {
  readonly project: { readonly id: string; readonly name: string };
  readonly rules: readonly RetentionRule[];
  /** Who asked for it; absent: only say what would happen. */
  readonly by?: Principal;
  readonly signal?: AbortSignal;
}

const MOST_SHOWN = 10_000;
/** Tags in one transaction: their lines in the ledger keep other writers waiting. */
const BATCH = 20;

/**
 * Decides about every tag of a project by its rules, and takes those away that nothing keeps. Facts are read repository by
 * repository, right before; a tag that is pushed again meanwhile stays.
 */
export async function runRetention(deps: RunDeps, request: RunRequest): Promise<RetentionOutcome> {
  const { db } = deps;
  const at = deps.clock.now();
  const [gone, kept]: [TagFate[], TagFate[]] = [[], []];
  const run = { ...request, id: newId(), at, since: await pullsSince(db, at) };
  let [examined, removed] = [0, 0];
  for await (const repository of repositoriesOf(db, request.project.id)) {
    if (request.signal?.aborted) break;
    const fates = request.rules.length === 0 ? [] : await decideRepository(db, run, repository);
    examined += fates.length;
    const leaving = fates.filter(({ kind }) => kind === 'remove');
    const left = request.by ? await removeTags(deps, { ...run, by: request.by }, repository.id, leaving) : leaving;
    removed += left.length;
    gone.push(...left.slice(0, MOST_SHOWN - gone.length));
    kept.push(...fates.filter(({ kind }) => kind === 'keep').slice(0, MOST_SHOWN - kept.length));
    await breathe();
  }
  if (request.by) await recordRun(deps, { ...run, by: request.by }, { examined, removed });
  return { at, examined, removed, tags: [...gone, ...kept] };
}

interface Run extends RunRequest {
  readonly id: string;
  readonly at: number;
  readonly since: number;
}
type DecidedRun = Run & { readonly by: Principal };

async function* repositoriesOf(db: Db, projectId: string) {
  for (let after = ''; ; ) {
    const page = await listRepositories(db, { projectId, after, limit: 100 });
    yield* page;
    const last = page.at(-1);
    if (!last) return;
    after = last.name;
  }
}

async function decideRepository(
  db: Db,
  { project, rules, at, since }: Run,
  repository: { readonly id: string; readonly name: string },
): Promise<TagFate[]> {
  const row = await db.selectFrom('projects').select('immutable_tags').where('id', '=', project.id).executeTakeFirst();
  const immutable = readImmutableTags(row?.immutable_tags ?? null);
  const running: RunningImages = await readRunningImages(db, at);
  const tags: KnownTag[] = await readTagFacts(db, { repository, running, immutable, pullsSince: since });
  const fates = decideRetention(rules, repository.name.slice(repository.name.indexOf('/') + 1), tags, at);
  return tags.flatMap(({ name, digest, pushedAt, usedAt }, index) => {
    const fate = fates[index];
    return fate ? [{ ...fate, repository: repository.name, tag: name, digest, pushedAt, usedAt }] : [];
  });
}

/** Gives those that went. */
async function removeTags(
  deps: RunDeps,
  run: DecidedRun,
  repositoryId: string,
  leaving: readonly TagFate[],
): Promise<TagFate[]> {
  const gone: TagFate[] = [];
  for (let start = 0; start < leaving.length && !run.signal?.aborted; start += BATCH)
    gone.push(...(await removeBatch(deps, run, repositoryId, leaving.slice(start, start + BATCH))));
  return gone;
}

async function removeBatch(
  { db, clock, ledger }: RunDeps,
  run: DecidedRun,
  repositoryId: string,
  batch: readonly TagFate[],
) {
  return db.transaction().execute(async (tx) => {
    const held = await lockRepository(tx, repositoryId, 'change');
    if (!held) return [];
    const decided = batch.map((fate) => ({ ...fate, name: fate.tag, updatedAt: fate.pushedAt }));
    const gone = await expireTags(tx, held, decided, clock.now());
    for (const { repository, tag, digest, because } of gone)
      await ledger.append(tx, {
        actor: actorOf(run.by),
        action: 'retention.remove',
        target: `${repository}:${tag}`,
        project: run.project.name,
        details: { digest, reason: because.slice(0, 4000), run: run.id },
      });
    const went = new Set(gone.map(({ name }) => name));
    return batch.filter(({ tag }) => went.has(tag));
  });
}

const RUNS_KEPT = 100;

async function recordRun(
  { db, ledger }: RunDeps,
  { id, at, by, project, rules }: DecidedRun,
  counts: { readonly examined: number; readonly removed: number },
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await tx
      .insertInto('retention_runs')
      .values({
        id,
        project_id: project.id,
        actor: nameOf(by),
        at,
        rules: JSON.stringify(rules.map(ruleText)),
        ...counts,
      })
      .execute();
    const old = await tx
      .selectFrom('retention_runs')
      .select('id')
      .where('project_id', '=', project.id)
      .orderBy('at', 'desc')
      .orderBy('id', 'desc')
      .offset(RUNS_KEPT)
      .limit(RUNS_KEPT)
      .execute();
    if (old.length > 0)
      await tx
        .deleteFrom('retention_runs')
        .where(
          'id',
          'in',
          old.map((row) => row.id),
        )
        .execute();
    // A day on which nothing went is in the history only.
    if (counts.removed === 0 && by === SYSTEM) return;
    await ledger.append(tx, {
      actor: actorOf(by),
      action: 'retention.run',
      target: `project/${project.name}`,
      details: { run: id, rules: rules.map(ruleText), ...counts },
    });
  });
}
