import type { WantedException } from '../../api/contract/exceptions.ts';
import { MOST_AT_ONCE } from '../../exceptions/exception.ts';

/** Bytes of what is asked for together; a server takes a megabyte in all. */
const MOST_BYTES = 900_000;

/** What is asked for in parts that a server takes, in the same order: all of a part are asked for together. */
export function partsOf(wanted: readonly WantedException[]): WantedException[][] {
  const parts: WantedException[][] = [];
  let size = 0;
  for (const one of wanted) {
    const length = Buffer.byteLength(JSON.stringify(one)) + 1;
    const last = parts.at(-1);
    if (last && last.length < MOST_AT_ONCE && size + length <= MOST_BYTES) {
      last.push(one);
      size += length;
    } else {
      parts.push([one]);
      size = length;
    }
  }
  return parts;
}
