/** A file at hand for random access. */
export interface FileView {
  readonly size: number;
  /** Bytes from an offset on, fewer only at the end. A view into what is held or a copy: valid for good, not to be written to. */
  read(at: number, length: number): Buffer;
  /** Everything. Only for files that are known to be small: the cataloger's `largest` has been checked. */
  bytes(): Buffer;
}

/** A file that is in memory. */
export function viewOf(content: Buffer): FileView {
  return {
    size: content.length,
    read: (at, length) => content.subarray(at, at + length),
    bytes: () => content,
  };
}
