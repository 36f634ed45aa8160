import type { Db } from '../db/database.ts';
import { type Digest, parseDigest } from '../oci/digest.ts';

const PAGE = 1000;

/** Every blob that the database says is there, by digest. Those it has given up are not. */
export async function* blobRows(db: Db): AsyncGenerator<{ readonly digest: Digest; readonly size: number }> {
  for (let after = ''; ; ) {
    const rows = await db
      .selectFrom('blobs')
      .select(['digest', 'size'])
      .where('withheld_at', 'is', null)
      .where('digest', '>', after)
      .orderBy('digest')
      .limit(PAGE)
      .execute();
    for (const { digest, size } of rows) yield { digest: parseDigest(digest), size };
    const last = rows.at(-1);
    if (!last) return;
    after = last.digest;
  }
}
