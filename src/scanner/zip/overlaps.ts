import type { DirectoryRecord } from './directory.ts';

const LOCAL_HEADER = 30;

/**
 * Watches where entries lie. `found()` is true when two of them share bytes: no archiver makes such files, bombs are made of
 * them ("A better zip bomb", Fifield 2019). Records in the order of the file, as archivers write them, cost nothing.
 */
export function createOverlapWatch(): {
  add(record: DirectoryRecord): void;
  found(): boolean;
} {
  const starts: number[] = [];
  const ends: number[] = [];
  let sorted = true;
  return {
    add({ at, compressedSize }) {
      if (at < (ends.at(-1) ?? 0)) sorted = false;
      starts.push(at);
      ends.push(at + LOCAL_HEADER + compressedSize);
    },
    found() {
      if (sorted) return false;
      const order = Uint32Array.from(starts.keys()).sort((a, b) => (starts[a] ?? 0) - (starts[b] ?? 0));
      let before = 0;
      for (const index of order) {
        if ((starts[index] ?? 0) < before) return true;
        before = ends[index] ?? 0;
      }
      return false;
    },
  };
}
