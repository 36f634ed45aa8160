import type { Db } from '../db/database.ts';
import type { Inventory } from '../model/inventory.ts';
import type { Digest } from '../oci/digest.ts';
import { manifestBlobs, manifestParents } from '../registry/manifest-reader.ts';
import type { VexSubject } from '../scanner/vex/types.ts';
import type { VexPlace } from './ports.ts';

/** Every digest by which documents may mean a stored image: its own, those of indexes above it, that of its configuration. */
export async function digestsOfImage(db: Db, { repositoryId, digest }: VexPlace): Promise<readonly Digest[]> {
  const parents = await manifestParents(db, repositoryId, digest);
  const { config } = await manifestBlobs(db, repositoryId, digest);
  return [...new Set([digest, ...parents, ...(config ? [config.digest] : [])])];
}

/**
 * What documents are compared with. Tags are no part of it: they move, and with them what was said of one image would be said of another.
 */
export function subjectOf(
  { repository }: VexPlace,
  digests: readonly Digest[],
  inventory: Pick<Inventory, 'packages'>,
  hosts: readonly string[],
): VexSubject {
  return {
    digests,
    names: hosts.length === 0 ? [repository] : hosts.map((host) => `${host}/${repository}`),
    purls: inventory.packages.map(({ purl }) => purl),
  };
}
