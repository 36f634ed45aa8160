import type { ByteRange } from '../blobs/blob-store.ts';
import { RegistryError } from './errors.ts';

/**
 * The part of a blob that a `Range` header asks for (RFC 9110 §14). Undefined = everything: no header, another unit, or
 * several ranges, which a server may answer with the whole. Throws `range_invalid` when no byte of the blob is in it.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined {
  const match = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(header ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  const [, from = '', to = ''] = match;
  const first = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (first > last)
    throw new RegistryError('range_invalid', `the blob has ${size} bytes; the range ${header} is not in it`, {
      headers: { 'content-range': `bytes */${size}` },
    });
  return { first, last };
}

/**
 * The `Content-Range` of an uploaded chunk, `<first>-<last>` without unit (distribution-spec, "Pushing a blob in chunks").
 * `length` is the Content-Length, when there is one. Throws `blob_upload_invalid` or `size_invalid`.
 */
export function parseChunkRange(
  header: string | undefined,
  length: number | undefined,
): { readonly first: number; readonly length: number } | undefined {
  if (header === undefined) return undefined;
  const match = /^(\d{1,15})-(\d{1,15})$/.exec(header);
  const [first, last] = [Number(match?.[1]), Number(match?.[2])];
  // An empty last chunk is written as `n-(n-1)` by some clients.
  if (!match || last < first - 1)
    throw new RegistryError('blob_upload_invalid', 'Content-Range of a chunk must be <first>-<last>, like 0-1048575');
  if (length !== undefined && length !== last - first + 1)
    throw new RegistryError(
      'size_invalid',
      `Content-Range ${header} means ${last - first + 1} bytes, but Content-Length says ${length}`,
    );
  return { first, length: last - first + 1 };
}

/** The `Range` header that says where an upload stands. Without any byte it is `0-0`, as every registry writes it. */
export function uploadRange(size: number): string {
  return `0-${Math.max(0, size - 1)}`;
}
