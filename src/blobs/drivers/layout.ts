import { join } from 'node:path';
import { algorithmOf, type Digest, hexOf, tryParseDigest } from '../../oci/digest.ts';

/** Where everything is below the store's root. The only place that knows; all of it must be one file system. */
export interface Layout {
  readonly uploads: string;
  readonly trash: string;
  upload(id: string): string;
  /** Two hex digits per folder: 256 folders per algorithm. */
  blob(digest: Digest): string;
  trashed(digest: Digest, at: number): string;
}

export function layoutOf(root: string): Layout {
  return {
    uploads: join(root, 'uploads'),
    trash: join(root, 'trash'),
    upload: (id) => join(root, 'uploads', id),
    blob: (digest) => join(root, 'blobs', algorithmOf(digest), hexOf(digest).slice(0, 2), hexOf(digest)),
    trashed: (digest, at) => join(root, 'trash', `${at}-${algorithmOf(digest)}-${hexOf(digest)}`),
  };
}

/** Reads a name that `trashed` made: when the blob was deleted (epoch ms); undefined for anything else. */
export function trashedAt(name: string): number | undefined {
  const [at = '', algorithm = '', hex = ''] = name.split('-');
  return /^\d{1,16}$/.test(at) && tryParseDigest(`${algorithm}:${hex}`) ? Number(at) : undefined;
}
