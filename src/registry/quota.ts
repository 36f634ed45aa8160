import type { Db, Tx } from '../db/database.ts';
import type { HeldRepository } from '../db/repository-lock.ts';
import { projectOf } from '../model/project-name.ts';
import type { ByteSource } from '../platform/streams.ts';
import type { CountedContent } from '../usage/changes.ts';
import { effectiveQuota, type Fullness, quotaRefusal } from '../usage/quota.ts';
import { readBytes } from '../usage/usage.ts';
import { RegistryError } from './errors.ts';
import type { ContentDeps } from './repositories.ts';

type Limits = Pick<ContentDeps, 'defaultQuota' | 'onUsageBacklog'>;

/** A project with its own quota, as in `projects.quota`. */
export interface QuotaHolder {
  readonly id: string;
  readonly quota: number | null;
}

interface QuotaHolders {
  /** Undefined when there is no project of that name. */
  project(name: string): Promise<QuotaHolder | undefined>;
}

/** What a push finds: how full its project is. */
export interface Room extends Fullness {
  /** Bytes that may still come; never below 0. */
  readonly left: number;
}

/**
 * Decides whether content may come into the project of a repository, in the transaction that brings it: what is in the project already
 * adds nothing. Gives how full the project is then; undefined when it has no quota. Pushes at the same moment do not see each
 * other. Throws `RegistryError('denied')`.
 */
export async function refuseWithoutRoom(
  tx: Tx,
  limits: Limits,
  held: HeldRepository,
  content: CountedContent,
): Promise<Fullness | undefined> {
  const quota = effectiveQuota(held.quota, limits.defaultQuota);
  if (quota === undefined) return undefined;
  const { bytes, holds, backlog } = await readBytes(tx, held.projectId, content);
  if (backlog) limits.onUsageBacklog?.();
  const before = { project: projectOf(held.name), used: bytes, quota };
  if (holds) return before;
  if (bytes + content.size > quota) throw noRoom(before, content.size);
  return { ...before, used: bytes + content.size };
}

/** How much room there is for a push into a repository of that name; undefined when its project has no quota. */
export async function roomFor(
  deps: Limits & { readonly db: Db; readonly reads: QuotaHolders },
  repository: string,
): Promise<Room | undefined> {
  const project = projectOf(repository);
  const holder = await deps.reads.project(project);
  const quota = holder && effectiveQuota(holder.quota, deps.defaultQuota);
  if (!holder || quota === undefined) return undefined;
  const { bytes } = await readBytes(deps.db, holder.id);
  return { project, used: bytes, quota, left: Math.max(0, quota - bytes) };
}

/** Throws `RegistryError('denied')` when that many bytes find no room, or, when nobody knows how many, there is none at all. */
export function refuseLarger(room: Room | undefined, bytes: number | undefined): void {
  if (room && (room.left === 0 || (bytes ?? 0) > room.left)) throw noRoom(room, bytes);
}

/** The source, which fails with `RegistryError('denied')` as soon as it gives more than there is room for. */
export function withinRoom(source: ByteSource, room: Room, alreadyReceived: number): ByteSource {
  return { owned: source.owned === true, [Symbol.asyncIterator]: () => limited(source, room, alreadyReceived) };
}

async function* limited(source: ByteSource, room: Room, alreadyReceived: number): AsyncGenerator<Uint8Array> {
  let received = alreadyReceived;
  for await (const chunk of source) {
    received += chunk.byteLength;
    if (received > room.left) throw noRoom(room, received);
    yield chunk;
  }
}

function noRoom(fullness: Fullness, wanted: number | undefined): RegistryError {
  const { used, quota } = fullness;
  return new RegistryError('denied', quotaRefusal(fullness, wanted), { detail: { reason: 'quota', used, quota } });
}
