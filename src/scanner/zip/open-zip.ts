import type { FileView } from '../file-view.ts';
import { readDirectory } from './directory.ts';
import { type DirectoryPlace, findDirectory } from './end-record.ts';
import { entryOf, type ZipEntry, type ZipLimits } from './entry.ts';
import { entryName, isFolder } from './entry-name.ts';
import { createOverlapWatch } from './overlaps.ts';

/** A zip archive, read at random. */
export interface ZipArchive {
  /** Files in the order of the directory; folders are left out. Each pass counts against the limits. */
  readonly entries: Iterable<ZipEntry>;
  /** What could not be understood, a line each; grows while entries are listed and read. */
  readonly problems: readonly string[];
}

type Problem = (text: string) => undefined;

const MOST_PROBLEMS = 50;
const TOO_MANY = 'it has more entries than are read';

/**
 * Opens a zip archive (PKWARE APPNOTE 6.3, with zip64 and with anything before it) by its central directory. Never throws:
 * what is no archive has no entries and a problem. Entries that lie over each other are refused, all of them.
 */
export function openZip(file: FileView, limits: ZipLimits): ZipArchive {
  const problems: string[] = [];
  const problem: Problem = (text) => {
    if (problems.length < MOST_PROBLEMS && !problems.includes(text)) problems.push(text);
    return undefined;
  };
  const place = findDirectory(file);
  if (!place) problem('it is no zip archive, or its end is missing');
  if (!place || !isSound(file, place, limits, problem)) return { entries: [], problems };
  return { entries: { [Symbol.iterator]: () => listEntries(file, place, limits, problem) }, problems };
}

function isSound(file: FileView, place: DirectoryPlace, limits: ZipLimits, problem: Problem): boolean {
  const overlaps = createOverlapWatch();
  let count = 0;
  const broken = () => problem('the directory of the archive is damaged');
  for (const record of readDirectory(file, place, broken)) {
    count += 1;
    if (count > limits.entries) {
      problem(TOO_MANY);
      return false;
    }
    overlaps.add(record);
  }
  if (overlaps.found()) problem('its entries lie over each other, as in a bomb: none is read');
  return !overlaps.found();
}

function* listEntries(file: FileView, place: DirectoryPlace, limits: ZipLimits, problem: Problem): Generator<ZipEntry> {
  let unnamed = 0;
  for (const record of readDirectory(file, place)) {
    limits.entries -= 1;
    if (limits.entries < 0) {
      problem(TOO_MANY);
      break;
    }
    if (isFolder(record.rawName)) continue;
    const name = entryName(record.rawName);
    if (name === undefined) unnamed += 1;
    else yield entryOf(file, name, record, limits, problem);
  }
  if (unnamed > 0) problem(`${unnamed} entries have names that no file can have`);
}
