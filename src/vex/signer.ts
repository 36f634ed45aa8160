import type { Db } from '../db/database.ts';
import type { SignedBytes } from '../scanner/vex/envelope.ts';
import { toAuthor, type VexAuthor } from './author.ts';
import { readPublicKey } from './keys.ts';
import { isSignedBy } from './verify.ts';

/** The declared author, retired ones too, with whose key one of the signatures was made; undefined when there is none. */
export async function signerOf(
  db: Db,
  signatures: readonly SignedBytes[],
  now: number,
): Promise<VexAuthor | undefined> {
  if (signatures.length === 0) return undefined;
  const rows = await db.selectFrom('vex_authors').selectAll().orderBy('id').execute();
  const signers = rows.filter(({ public_key }) => {
    const { key } = readPublicKey(public_key);
    return signatures.some((signed) => isSignedBy(key, signed));
  });
  // Of several signers one that still counts.
  const row = signers.find(({ retired_at }) => retired_at === null) ?? signers[0];
  return row && toAuthor(row, now);
}
