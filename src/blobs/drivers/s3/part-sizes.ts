import { BlobError } from '../../blob-store.ts';

const MIB = 1024 * 1024;
/** The least S3 takes for a part that is not the last (Amazon S3, "Multipart upload limits"). */
const SMALLEST = 5 * MIB;
export const MOST_PARTS = 10_000;

/** How large the parts of an upload are, by their number from 1 on. */
export interface PartSizes {
  /** Bytes after which a part is full. Throws `storage_failed` for a number S3 does not have. */
  full(number: number): number;
  /** Bytes that may be a part of their own when no more are at hand; fewer wait for more. */
  enough(number: number): number;
}

/** Small at first, so that little is held back, and larger as the upload grows: 8 GB in 1,000 parts, 460 GB in 8,000, 1.4 TB in all. */
const growingParts: PartSizes = {
  full(number) {
    checkNumber(number, 'it is too large for S3');
    if (number <= 1000) return 8 * MIB;
    return number <= 8000 ? 64 * MIB : 512 * MIB;
  },
  enough: (number) => (number <= 1000 ? SMALLEST : growingParts.full(number)),
};

/** `uniform`: the size all parts must have, for stores that demand equal ones (Cloudflare R2). */
export function partSizes(uniform: number | undefined): PartSizes {
  if (uniform === undefined) return growingParts;
  const full = (number: number) => {
    checkNumber(number, `with parts of ${uniform / MIB} MiB it may have ${(uniform * MOST_PARTS) / MIB} MiB`);
    return uniform;
  };
  return { full, enough: full };
}

function checkNumber(number: number, why: string): void {
  if (number > MOST_PARTS)
    throw new BlobError('storage_failed', `an upload needs more than ${MOST_PARTS} parts: ${why}`);
}
