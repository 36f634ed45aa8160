import type { Digest } from '../../../oci/digest.ts';
import type { Clock } from '../../../platform/clock.ts';
import type { Assembled } from './assemble.ts';
import type { Bucket } from './bucket.ts';
import type { Keys } from './keys.ts';
import type { Pointer, Pointers } from './pointer.ts';
import { type UploadRecord, writeRecord } from './record.ts';

export interface PlacingDeps {
  readonly bucket: Bucket;
  readonly keys: Keys;
  readonly pointers: Pointers;
  readonly clock: Clock;
}

/**
 * Lets the verified object be the blob. First the record says so, so that whoever tidies up knows what to compare the object
 * with; then what was the blob before is noted for the trash; the pointer makes it one, and comes last.
 */
export async function placeBlob(
  deps: PlacingDeps,
  upload: { readonly id: string; readonly record: UploadRecord },
  digest: Digest,
  { object, size }: Assembled,
): Promise<void> {
  const [before] = await Promise.all([
    // What is there may be damaged; it is replaced then.
    deps.pointers.read(digest).catch(() => undefined),
    writeRecord(deps, upload.id, { ...upload.record, blob: { digest, object, size } }),
  ]);
  if (before && before.object !== object) await noteTrash(deps, digest, before.object);
  await deps.pointers.write(digest, { object, size });
}

/** Takes the blob away; false when there is none. Its bytes stay until the trash is emptied. */
export async function removeBlob(deps: PlacingDeps, digest: Digest): Promise<boolean> {
  const pointer = await deps.pointers.read(digest);
  if (!pointer) return false;
  await noteTrash(deps, digest, pointer.object);
  await deps.pointers.remove(digest);
  return true;
}

/** Notes an object for deletion. Whether it is still a blob then is looked at when the trash is emptied. */
export async function noteTrash(deps: PlacingDeps, digest: Digest, object: Pointer['object']): Promise<void> {
  await deps.bucket.putSmall(deps.keys.trashed(digest, deps.clock.now(), object), '{}');
}
