import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { messageOf } from '../../../platform/errors.ts';
import { type FeedFact, type FeedReader, type FeedRecord, problem } from '../advisory.ts';
import { readDocument, walkDocuments } from '../documents.ts';
import { FeedError } from '../errors.ts';
import { readZip, type ZipDocument } from '../zip-entries.ts';
import { CVELIST_FEED, normalizeCve } from './normalize.ts';
import { cveRecordSchema } from './schema.ts';

/** Real records have a few hundred kilobytes at most. */
const MAX_RECORD_BYTES = 16 * 1024 * 1024;
/** The archive inside the published one. */
const MAX_INNER_BYTES = 8 * 1024 * 1024 * 1024;
const RECORD = /^CVE-\d{4}-\d{4,19}\.json$/;

/**
 * Reads the CVE list (CVE JSON 5.x) record by record: from a folder `cves/<year>/<Nxxx>/CVE-….json`, or from a zip archive of
 * one, also from the archive in an archive that is published daily. Fails with `FeedError` when it cannot be read.
 */
export async function* readCveList(path: string): FeedReader {
  const info = await stat(path).catch((cause: unknown) => {
    throw new FeedError('unreadable', `cannot read ${path}: ${messageOf(cause)}`, { cause });
  });
  yield* info.isDirectory() ? readFolder(path) : readArchive(path, 1);
}

async function* readFolder(folder: string): FeedReader {
  for await (const path of walkDocuments(folder, RECORD)) {
    const bytes = await readDocument(path, MAX_RECORD_BYTES);
    const name = basename(path);
    yield bytes === undefined
      ? rejected(problem('too-large', name, `unreadable, or over ${MAX_RECORD_BYTES} bytes`))
      : parseCveRecord(bytes.toString('utf8'), name);
  }
}

async function* readArchive(path: string, nesting: number): FeedReader {
  for await (const entry of readZip(path, MAX_RECORD_BYTES)) {
    const name = basename(entry.name);
    if (nesting > 0 && name.endsWith('.zip')) yield* readInner(entry, nesting);
    if (!RECORD.test(name)) continue;
    const content = entry.read();
    yield 'bytes' in content
      ? parseCveRecord(content.bytes.toString('utf8'), name)
      : rejected(problem(content.problem, name, content.detail));
  }
}

async function* readInner(entry: ZipDocument, nesting: number): FeedReader {
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-cves-'));
  try {
    const path = join(folder, 'cves.zip');
    await entry.extract(path, MAX_INNER_BYTES);
    yield* readArchive(path, nesting - 1);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Facts of the JSON text of one CVE record; one that cannot be understood gives a `problem` only. */
export function parseCveRecord(json: string, name: string): FeedRecord {
  try {
    const parsed = cveRecordSchema.safeParse(JSON.parse(json));
    if (parsed.success) return normalizeCve(parsed.data);
    const [issue] = parsed.error.issues;
    return rejected(problem('malformed-record', name, `${issue?.path.join('.')}: ${issue?.message}`));
  } catch (error) {
    return rejected(problem('malformed-record', name, messageOf(error)));
  }
}

function rejected(fact: FeedFact): FeedRecord {
  return { facts: [fact], feed: CVELIST_FEED, ecosystems: [] };
}
