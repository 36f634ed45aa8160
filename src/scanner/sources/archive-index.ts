import { closeSync, createReadStream, createWriteStream, fstatSync, openSync, readSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { messageOf } from '../../platform/errors.ts';
import { ScanError } from '../errors.ts';
import type { FilePart } from '../image-source.ts';
import { compressionOf, decompressed } from '../layers/compression.ts';
import { createFileReader } from '../layers/file-reader.ts';
import { normalisePath } from '../layers/paths.ts';
import { readTarAtHand } from '../layers/tar-reader.ts';

/** The files of a tar archive on disk, by name, read in place. */
export interface ArchiveIndex {
  has(path: string): boolean;
  /** Names of all files. */
  readonly names: readonly string[];
  /** The whole file, at most `limit` bytes. Throws `ScanError`: source_invalid when it is not there, limit_exceeded. */
  read(path: string, limit: number): Buffer;
  /** Where a file lies. Throws `ScanError` as `read` does. */
  locate(path: string): FilePart;
  close(): Promise<void>;
}

interface Place {
  readonly offset: number;
  readonly size: number;
}

const MOST_ENTRIES = 100_000;
/** Tars of real files are never packed tighter; a small bomb must not fill the disk. */
const DENSEST = 200;
const UNPACKED_ANYWAY = 1024 ** 3;
const LARGEST_UNPACKED = 64 * 1024 ** 3;
const MOST_LINKS = 8;
const PIECE = 1024 * 1024;

/** Indexes an archive; a compressed one is unpacked into a temporary file first. Throws `ScanError`. */
export async function indexArchive(path: string): Promise<ArchiveIndex> {
  const plain = await asPlainTar(path);
  try {
    const { places, links } = readPlaces(plain.path);
    const find = (name: string): Place => {
      let current = normalisePath(name) ?? '';
      for (let hops = 0; hops <= MOST_LINKS; hops += 1) {
        const place = places.get(current);
        if (place) return place;
        const target = links.get(current);
        if (target === undefined) break;
        current = target;
      }
      throw new ScanError('source_invalid', `the archive ${path} names ${name.slice(0, 200)}, but does not hold it`);
    };
    return {
      has: (name) => places.has(name) || links.has(name),
      names: [...places.keys()],
      read(name, limit) {
        const place = find(name);
        if (place.size > limit)
          throw new ScanError(
            'limit_exceeded',
            `${name} in ${path} has ${place.size} bytes; at most ${limit} are read`,
          );
        return withFile(plain.path, (fd) => readAt(fd, place.offset, place.size));
      },
      locate(name) {
        const { offset, size } = find(name);
        return { path: plain.path, start: offset, size };
      },
      close: () => plain.remove(),
    };
  } catch (error) {
    await plain.remove();
    throw error;
  }
}

function readPlaces(path: string): { places: Map<string, Place>; links: Map<string, string> } {
  const places = new Map<string, Place>();
  const links = new Map<string, string>();
  withFile(path, (fd) => {
    for (const entry of readTarAtHand(createFileReader(fd, 0, fstatSync(fd).size))) {
      const name = normalisePath(entry.name);
      if (!name) continue;
      if (places.size + links.size >= MOST_ENTRIES)
        throw new ScanError('limit_exceeded', `${path} has more than ${MOST_ENTRIES} entries`);
      if (entry.sparse) throw new ScanError('source_invalid', `${path} holds ${name.slice(0, 200)} as a sparse file`);
      if (entry.kind === 'file') places.set(name, { offset: entry.offset, size: entry.size });
      else if (entry.kind === 'symlink') links.set(name, linkTarget(name, entry.linkName));
      else if (entry.kind === 'hardlink') links.set(name, normalisePath(entry.linkName) ?? '');
    }
  });
  return { places, links };
}

/** Links of an archive stay inside it: they are names in the index, never paths of this machine. */
function linkTarget(name: string, target: string): string {
  const folder = name.slice(0, Math.max(name.lastIndexOf('/'), 0));
  return normalisePath(target.startsWith('/') ? target : `${folder}/${target}`) ?? '';
}

async function asPlainTar(path: string): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const { head, size } = withFile(path, (fd) => ({ head: readAt(fd, 0, 4), size: fstatSync(fd).size }));
  if (compressionOf(head) === 'none') return { path, remove: () => Promise.resolve() };
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-scan-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  const unpacked = join(folder, 'archive.tar');
  const limit = Math.min(Math.max(size * DENSEST, UNPACKED_ANYWAY), LARGEST_UNPACKED);
  try {
    await pipeline(
      decompressed(createReadStream(path, { highWaterMark: PIECE }), limit),
      createWriteStream(unpacked, { mode: 0o600 }),
    );
    return { path: unpacked, remove };
  } catch (error) {
    await remove();
    throw new ScanError('source_invalid', `${path} is compressed, but cannot be unpacked: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** What is asked is answered from the system's cache, sooner than by a thread. */
function withFile<T>(path: string, use: (fd: number) => T): T {
  const fd = openSync(path, 'r');
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

function readAt(fd: number, offset: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  return bytes.subarray(0, readSync(fd, bytes, 0, size, offset));
}
