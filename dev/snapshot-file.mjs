// The file of a start-up snapshot of Node (src/node_snapshotable.cc there).
import { readFile, writeFile } from 'node:fs/promises';

/** Bytes of a number. */
const WORD = 8;
const LONGEST_ID = 200;
const MOST_ENTRIES = 2000;
const FEWEST_ENTRIES = 50;

/**
 * Takes out what the file ends with: the compiled code of all modules of Node, half of the file, of which those that are used lie compiled
 * in the snapshot anyway. It is a count, and for each module its name and its code, each behind its length. Leaves a file alone in which
 * that is not found.
 */
export async function withoutCodeCache(path) {
  const file = await readFile(path);
  const at = codeCacheIn(file);
  if (at !== undefined) await writeFile(path, Buffer.concat([file.subarray(0, at), Buffer.alloc(WORD)]));
}

function codeCacheIn(file) {
  for (let at = 0; at + WORD <= file.length; at += 1) {
    const count = numberAt(file, at);
    if (count >= FEWEST_ENTRIES && count <= MOST_ENTRIES && endOfEntries(file, at + WORD, count) === file.length) return at;
  }
  return undefined;
}

/** Where the entries end that begin at `start`; undefined when these are none. */
function endOfEntries(file, start, count) {
  let at = start;
  for (let entry = 0; entry < count; entry += 1) {
    const length = numberAt(file, at);
    if (!(length > 0 && length <= LONGEST_ID)) return undefined;
    const size = numberAt(file, at + WORD + length);
    at += WORD + length + WORD + size;
    if (!(at <= file.length)) return undefined;
  }
  return at;
}

function numberAt(file, at) {
  return at + WORD <= file.length ? file.readUInt32LE(at) + file.readUInt32LE(at + 4) * 2 ** 32 : Number.NaN;
}
