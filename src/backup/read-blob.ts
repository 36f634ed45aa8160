import { open } from 'node:fs/promises';
import { layoutOf } from '../blobs/drivers/layout.ts';
import type { Digest } from '../oci/digest.ts';
import type { ByteSource } from '../platform/streams.ts';

/** A blob of a backup, which may lie on a medium that takes no writes; undefined when it is not there. */
export async function readBlob(folder: string, digest: Digest): Promise<ByteSource | undefined> {
  try {
    const handle = await open(layoutOf(folder).blob(digest), 'r');
    return handle.createReadStream({ highWaterMark: 1024 * 1024 });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
