import { messageOf } from '../../platform/errors.ts';
import type { ByteSource } from '../../platform/streams.ts';
import { BlobError } from '../blob-store.ts';

/** Feeds a source to `take`; gives the failure of the source, and throws those of `take`. */
export async function readInto(
  source: ByteSource,
  take: (chunk: Uint8Array) => Promise<void>,
): Promise<BlobError | undefined> {
  let taking = false;
  try {
    for await (const chunk of source) {
      taking = true;
      await take(chunk);
      taking = false;
    }
  } catch (error) {
    if (taking) throw error;
    return new BlobError('upload_interrupted', `the data broke off: ${messageOf(error)}`, { cause: error });
  }
  return undefined;
}
