import { randomBytes } from 'node:crypto';
import { algorithmOf, type Digest, hexOf, tryParseDigest } from '../../../oci/digest.ts';

/** Where everything is in the bucket. The only place that knows. */
export interface Keys {
  /** What is known of an upload: `record.ts`. */
  readonly uploads: string;
  upload(id: string): string;
  /** The upload whose record has this key. */
  uploadOf(key: string): string;
  /** Bytes; `name` is one that `newObjectName` made. */
  object(name: string): string;
  /** The object that holds a blob: `pointer.ts`. */
  pointer(digest: Digest): string;
  readonly trash: string;
  trashed(digest: Digest, at: number, object: string): string;
  readonly startCheck: string;
}

export function keysBelow(prefix: string): Keys {
  const uploads = `${prefix}uploads/`;
  const trash = `${prefix}trash/`;
  return {
    uploads,
    upload: (id) => uploads + id,
    uploadOf: (key) => key.slice(uploads.length),
    object: (name) => `${prefix}objects/${name}`,
    pointer: (digest) => `${prefix}blobs/${algorithmOf(digest)}/${hexOf(digest).slice(0, 2)}/${hexOf(digest)}`,
    trash,
    trashed: (digest, at, object) =>
      `${trash}${at}-${algorithmOf(digest)}-${hexOf(digest)}-${object.replace('/', '.')}`,
    startCheck: `${prefix}start-check`,
  };
}

const OBJECT_NAME = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}-[0-9a-f]{8}\/[0-9a-f]{8}$/;

/** The folder of one upload's objects. New for each record: an id that is used again never meets what it left behind. */
export function newFolder(id: string): string {
  return `${id}-${randomBytes(4).toString('hex')}`;
}

/** A name nobody else writes to: what was hashed under it stays what it was. */
export function newObjectName(folder: string): string {
  return `${folder}/${randomBytes(4).toString('hex')}`;
}

export function isObjectName(text: string): boolean {
  return OBJECT_NAME.test(text);
}

/** Reads the last part of a key that `trashed` made; undefined for anything else. */
export function parseTrashed(
  name: string,
): { readonly at: number; readonly digest: Digest; readonly object: string } | undefined {
  const [, at = '', algorithm = '', hex = '', rest = ''] = /^(\d{1,16})-([a-z0-9]+)-([0-9a-f]+)-(.+)$/.exec(name) ?? [];
  const digest = tryParseDigest(`${algorithm}:${hex}`);
  const object = rest.replace('.', '/');
  return digest && isObjectName(object) ? { at: Number(at), digest, object } : undefined;
}
