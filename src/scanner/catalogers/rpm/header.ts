/** The fields of a package header that are read, by their numbers (rpm, "Header tags"). */
export const TAG = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  vendor: 1011,
  licence: 1014,
  arch: 1022,
  oldFileNames: 1027,
  sourceRpm: 1044,
  directoryIndexes: 1116,
  baseNames: 1117,
  directoryNames: 1118,
  modularityLabel: 5096,
} as const;

type Tag = (typeof TAG)[keyof typeof TAG];

/** A package header, decoded when asked. Fields that are missing or damaged are empty. */
export interface Header {
  /** The first string of a field, at most its first 4096 bytes. */
  text(tag: Tag): string | undefined;
  /** The strings of a field, at most a million. */
  texts(tag: Tag): readonly string[];
  /** Numbers of 32 bits, without sign, at most a million. */
  numbers(tag: Tag): readonly number[];
}

interface Entry {
  readonly type: number;
  readonly offset: number;
  readonly count: number;
}

const INTRO = 8;
const ENTRY = 16;
const INT32 = 4;
const STRING = 6;
const STRING_ARRAY = 8;
const I18N_STRING = 9;
/** rpm refuses more itself (hdrblobInit). */
const MOST_ENTRIES = 0xffff;
const LONGEST_TEXT = 4096;
const MOST_TEXTS = 1_000_000;
const WANTED: ReadonlySet<number> = new Set(Object.values(TAG));

/**
 * Reads a header as databases hold it (rpm, "Header format", without the magic of package files): number of entries and of
 * data bytes, entries of tag, type, offset and count, then the data, all big-endian. Gives text when it is none: why.
 */
export function parseHeader(blob: Buffer): Header | string {
  if (blob.length < INTRO) return 'it is shorter than the start of a header';
  const count = blob.readUInt32BE(0);
  const length = blob.readUInt32BE(4);
  if (count === 0 || count > MOST_ENTRIES) return `a header cannot have ${count} entries`;
  const start = INTRO + count * ENTRY;
  if (start + length > blob.length) return `its header needs ${start + length} bytes, and ${blob.length} are there`;
  const entries = readEntries(blob, count);
  const data = blob.subarray(start, start + length);
  return {
    text: (tag) => readText(data, entries.get(tag)),
    texts: (tag) => readTexts(data, entries.get(tag)),
    numbers: (tag) => readNumbers(data, entries.get(tag)),
  };
}

/** What was added after the build stands behind what it replaces: the last entry of a tag counts. */
function readEntries(blob: Buffer, count: number): ReadonlyMap<number, Entry> {
  const entries = new Map<number, Entry>();
  for (let at = INTRO; at < INTRO + count * ENTRY; at += ENTRY) {
    const tag = blob.readUInt32BE(at);
    if (!WANTED.has(tag)) continue;
    entries.set(tag, {
      type: blob.readUInt32BE(at + 4),
      offset: blob.readUInt32BE(at + 8),
      count: blob.readUInt32BE(at + 12),
    });
  }
  return entries;
}

function readText(data: Buffer, entry: Entry | undefined): string | undefined {
  if (!isText(entry)) return undefined;
  const end = data.indexOf(0, entry.offset);
  return end < 0 ? undefined : data.toString('utf8', entry.offset, Math.min(end, entry.offset + LONGEST_TEXT));
}

/** Strings end with a zero byte; a string without an end, and what would come after it, is left out. */
function readTexts(data: Buffer, entry: Entry | undefined): string[] {
  if (!isText(entry)) return [];
  const count = Math.min(entry.type === STRING ? 1 : entry.count, MOST_TEXTS);
  let texts = 0;
  let end = entry.offset;
  for (let at = entry.offset; at < data.length && texts < count; at += 1) {
    if (data[at] !== 0) continue;
    texts += 1;
    end = at;
  }
  // Decoding all of them at once is several times faster than one by one.
  return texts === 0 ? [] : data.toString('utf8', entry.offset, end).split('\0');
}

function isText(entry: Entry | undefined): entry is Entry {
  return entry?.type === STRING || entry?.type === STRING_ARRAY || entry?.type === I18N_STRING;
}

function readNumbers(data: Buffer, entry: Entry | undefined): number[] {
  const numbers: number[] = [];
  if (entry?.type !== INT32 || entry.offset + entry.count * 4 > data.length) return numbers;
  for (let at = 0; at < Math.min(entry.count, MOST_TEXTS); at += 1)
    numbers.push(data.readUInt32BE(entry.offset + at * 4));
  return numbers;
}
