import { nameOf, SYSTEM } from '../auth/principal.ts';
import { type RunningImages, readRunningImages } from '../cluster/running.ts';
import type { Tx } from '../db/database.ts';
import { lockRepository } from '../db/repository-lock.ts';
import { projectOf } from '../model/project-name.ts';
import { parseDigest } from '../oci/digest.ts';
import { breathe } from '../platform/breathe.ts';
import { removeManifest } from '../registry/manifest-writer.ts';
import { type Copy, liveCopies, type MirroredCopies } from './mirrored-copies.ts';
import type { RunDeps } from './run.ts';

/** A full mirror gives up so much that this share of its quota is used. */
const DOWN_TO = 0.9;
/** A copy that was used this recently stays: a client may be fetching it at this very moment. */
const YOUNG_MS = 3_600_000;

/**
 * Has every mirror that uses more than its quota give up what was not pulled for longest; gives how many copies went. Counted is what
 * their manifests refer to: what garbage collection is about to give up takes no room any more. What runs stays.
 */
export async function makeRoom(deps: RunDeps, signal?: AbortSignal): Promise<number> {
  const mirrors = await deps.db
    .selectFrom('upstreams as u')
    .innerJoin('projects as p', 'p.id', 'u.project_id')
    .innerJoin('project_usage as s', 's.project_id', 'p.id')
    .select(['p.id', 'p.quota'])
    .where('p.quota', '>=', 0)
    .whereRef('s.bytes', '>', 'p.quota')
    .orderBy('p.name')
    .execute();
  let gone = 0;
  for (const { id, quota } of mirrors) {
    if (quota === null || signal?.aborted) break;
    gone += await makeRoomIn(deps, { id, quota }, signal);
  }
  return gone;
}

async function makeRoomIn(
  deps: RunDeps,
  { id, quota }: { readonly id: string; readonly quota: number },
  signal: AbortSignal | undefined,
): Promise<number> {
  const now = deps.clock.now();
  const copies = await liveCopies(deps.db, id);
  if (copies.bytes() <= quota) return 0;
  const running = await readRunningImages(deps.db, now);
  let gone = 0;
  for (const copy of copies.leastUsedFirst()) {
    if (copies.bytes() <= quota * DOWN_TO || copy.usedAt > now - YOUNG_MS || signal?.aborted) break;
    if (runs(copy, running)) continue;
    if (await giveUp(deps, copies, copy)) gone += 1;
    await breathe();
  }
  return gone;
}

function runs({ digests }: Copy, running: RunningImages): boolean {
  return digests.some((digest) => running.digests.has(digest));
}

/** False when it was pulled, or its repository went, meanwhile. */
async function giveUp({ db, clock, ledger }: RunDeps, copies: MirroredCopies, copy: Copy): Promise<boolean> {
  const leaving = copies.giveUp(copy);
  return db.transaction().execute(async (tx) => {
    const held = await lockRepository(tx, copy.repositoryId, 'sweep');
    if (!held) return false;
    const tags = await tagsOf(tx, copy);
    for (const digest of leaving) {
      await removeManifest(tx, held, parseDigest(digest), clock.now());
      await tx.deleteFrom('mirror_tags').where('repository_id', '=', held.id).where('digest', '=', digest).execute();
    }
    await ledger.append(tx, {
      actor: nameOf(SYSTEM),
      action: 'mirror.evict',
      target: `${held.name}@${copy.digest}`,
      project: projectOf(held.name),
      details: { reason: 'the quota of the mirror', tags, usedAt: new Date(copy.usedAt).toISOString() },
    });
    return true;
  });
}

async function tagsOf(tx: Tx, { repositoryId, digest }: Copy): Promise<string[]> {
  const rows = await tx
    .selectFrom('tags')
    .select('name')
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .orderBy('name')
    .limit(100)
    .execute();
  return rows.map(({ name }) => name);
}
