import type { Bucket } from './bucket.ts';
import type { Keys } from './keys.ts';

/** Lists, writes, reads and deletes once, so that what is wrong with address, bucket or credentials is known at the start. */
export async function checkBucket(bucket: Bucket, keys: Keys): Promise<void> {
  for await (const _ of bucket.list(keys.startCheck)) break;
  await bucket.putSmall(keys.startCheck, '{}');
  await bucket.getSmall(keys.startCheck, 16);
  await bucket.delete(keys.startCheck);
}
