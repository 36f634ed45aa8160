import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { messageOf } from '../../../platform/errors.ts';
import { createByteReader } from '../../layers/byte-reader.ts';
import { decompressed } from '../../layers/compression.ts';
import { readTar } from '../../layers/tar-reader.ts';
import { type FeedReader, type FeedRecord, problem } from '../advisory.ts';
import { walkDocuments } from '../documents.ts';
import { FeedError } from '../errors.ts';
import { openMaybeGzip } from '../open.ts';
import { parseCsafDocument, rejected } from './parse.ts';
import { streamCsafDocument } from './stream.ts';
import { CSAF_FEED } from './vulnerability.ts';

/** Documents up to this size are parsed at once, which is several times as fast. */
const SMALL = 8 * 1024 * 1024;
/** The largest real document had 94 MB in 2026. */
const MAX_DOCUMENT_BYTES = 512 * 1024 * 1024;
const MAX_ARCHIVE_BYTES = 64 * 1024 * 1024 * 1024;
/** Folder beside an archive with the documents that changed since. */
const CHANGES = 'changes';
const DOCUMENT = /^(?:cve|rh[sbe]a)-[\w.-]{1,100}\.json(?:\.gz)?$/i;

/**
 * Reads Red Hat's CSAF documents (VEX and advisories): a folder of them (`.json`, `.json.gz`), or a tar archive of one
 * (`.tar`, `.tar.zst`, `.tar.gz`), document by document. Fails with `FeedError` when the folder or archive cannot be read.
 */
export async function* readCsaf(path: string): FeedReader {
  const info = await stat(path).catch((cause: unknown) => {
    throw new FeedError('unreadable', `cannot read ${path}: ${messageOf(cause)}`, { cause });
  });
  yield* info.isDirectory() ? readFolder(path) : readArchive(path);
}

async function* readFolder(folder: string): FeedReader {
  for await (const path of walkDocuments(folder, DOCUMENT)) yield await readFileDocument(path);
}

async function* readArchive(path: string): FeedReader {
  const newer = await changedDocuments(join(dirname(path), CHANGES));
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-csaf-'));
  const reader = createByteReader(decompressed(createReadStream(path), MAX_ARCHIVE_BYTES));
  try {
    for await (const entry of readTar(reader)) {
      const name = basename(entry.name);
      if (!DOCUMENT.test(name) || newer.has(name)) continue;
      if (entry.size > MAX_DOCUMENT_BYTES) yield tooLarge(name, entry.size);
      else if (entry.size <= SMALL) yield parseCsafDocument((await entry.read(SMALL)).toString('utf8'), name);
      else yield await readLarge(await entry.read(MAX_DOCUMENT_BYTES), join(folder, 'document.json'), name);
    }
  } catch (cause) {
    throw new FeedError('malformed', `${path} is damaged: ${messageOf(cause)}`, { cause });
  } finally {
    await reader.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Names of documents that were fetched after the archive beside them was made: they stand for those in it. */
async function changedDocuments(folder: string): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  if (!(await stat(folder).catch(() => undefined))?.isDirectory()) return names;
  for await (const path of walkDocuments(folder, DOCUMENT)) names.add(basename(path));
  return names;
}

/** A document of the folder, parsed at once when it is small. */
async function readFileDocument(path: string): Promise<FeedRecord> {
  const name = basename(path);
  try {
    const { size } = await stat(path);
    if (size > MAX_DOCUMENT_BYTES) return tooLarge(name, size);
    if (size > SMALL) return await streamCsafDocument(openMaybeGzip(path), name);
    const bytes = await readFile(path);
    if (!path.endsWith('.gz')) return parseCsafDocument(bytes.toString('utf8'), name);
    const unpacked = gunzipSmall(bytes);
    return unpacked === undefined
      ? await streamCsafDocument(openMaybeGzip(path), name)
      : parseCsafDocument(unpacked.toString('utf8'), name);
  } catch (error) {
    return rejected(name, messageOf(error));
  }
}

/** undefined when there is more than a small document in it. */
function gunzipSmall(bytes: Buffer): Buffer | undefined {
  try {
    return gunzipSync(bytes, { maxOutputLength: SMALL });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Put aside first, so that the bytes of a large document are not in memory beside what is made of them. */
async function readLarge(bytes: Buffer, path: string, name: string): Promise<FeedRecord> {
  await writeFile(path, bytes);
  return streamCsafDocument(createReadStream(path), name);
}

function tooLarge(name: string, size: number): FeedRecord {
  const fact = problem('too-large', name, `${size} bytes, at most ${MAX_DOCUMENT_BYTES}`);
  return { facts: [fact], feed: CSAF_FEED, ecosystems: [] };
}
