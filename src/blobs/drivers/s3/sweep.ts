import { noteTrash, type PlacingDeps } from './finish.ts';
import { parseTrashed } from './keys.ts';
import { readRecord, type UploadRecord } from './record.ts';

/** Uploads that became a blob are looked at once more after this time: until then a replica may be about to set the pointer. */
const SETTLED_MS = 3_600_000;
const DELETIONS_AT_ONCE = 16;

/**
 * Throws away uploads that received nothing since `before` and gives their number; `isBusy` names those to be left alone. Of
 * uploads that became a blob only what was needed on the way is deleted.
 */
export async function cancelStaleUploads(
  deps: PlacingDeps,
  before: number,
  isBusy: (id: string) => boolean,
): Promise<number> {
  const settled = deps.clock.now() - SETTLED_MS;
  let cancelled = 0;
  for await (const { key, modified } of deps.bucket.list(deps.keys.uploads)) {
    const id = deps.keys.uploadOf(key);
    if (isBusy(id) || (modified >= before && modified >= settled)) continue;
    // A damaged record keeps nobody from the others.
    const record = await readRecord(deps, id).catch(() => undefined);
    if (!record) continue;
    if (record.blob) {
      if (modified < settled) await tidy(deps, id, record, record.blob);
    } else if (modified < before) {
      await discardUpload(deps, id, record);
      cancelled += 1;
    }
  }
  return cancelled;
}

/** Throws an upload away with everything received. The record goes last: until then it can be found again. */
export async function discardUpload(deps: PlacingDeps, id: string, record: UploadRecord): Promise<void> {
  const { bucket, keys } = deps;
  if (record.multipart) await bucket.abortParts(keys.object(record.multipart.object), record.multipart.upload);
  await clearFolder(deps, record);
  await bucket.delete(keys.upload(id));
}

/** The object either is the blob, or another replica was later with the same content: then it is not needed. */
async function tidy(
  deps: PlacingDeps,
  id: string,
  record: UploadRecord,
  { object, digest }: NonNullable<UploadRecord['blob']>,
): Promise<void> {
  await clearFolder(deps, record, object);
  const pointer = await deps.pointers.read(digest);
  if (pointer?.object !== object) await noteTrash(deps, digest, object);
  await deps.bucket.delete(deps.keys.upload(id));
}

async function clearFolder({ bucket, keys }: PlacingDeps, { folder }: UploadRecord, except?: string): Promise<void> {
  const kept = except === undefined ? undefined : keys.object(except);
  let batch: Promise<void>[] = [];
  for await (const { key } of bucket.list(keys.object(`${folder}/`))) {
    if (key === kept) continue;
    batch.push(bucket.delete(key));
    if (batch.length < DELETIONS_AT_ONCE) continue;
    await Promise.all(batch);
    batch = [];
  }
  await Promise.all(batch);
}

/** Deletes what was put into the trash before `before`; gives the number of objects. What is a blob again is kept. */
export async function emptyTrashBin(deps: PlacingDeps, before: number): Promise<number> {
  const { bucket, keys, pointers } = deps;
  let freed = 0;
  for await (const { key } of bucket.list(keys.trash)) {
    const trashed = parseTrashed(key.slice(keys.trash.length));
    if (!trashed || trashed.at >= before) continue;
    if ((await pointers.read(trashed.digest))?.object !== trashed.object) {
      await bucket.delete(keys.object(trashed.object));
      freed += 1;
    }
    await bucket.delete(key);
  }
  return freed;
}
