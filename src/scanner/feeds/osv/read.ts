import { text } from 'node:stream/consumers';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { messageOf } from '../../../platform/errors.ts';
import { type FeedFact, type FeedReader, type FeedRecord, problem } from '../advisory.ts';
import { FeedError } from '../errors.ts';
import { normalizeOsv } from './normalize.ts';
import { osvRecordSchema } from './schema.ts';

/** One record at most; the largest real ones (kernel errata) have a few megabytes. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024;
const BATCH_ENTRIES = 16;
const BATCH_BYTES = 4 * 1024 * 1024;

/**
 * Reads the bulk file of one ecosystem (`<Ecosystem>/all.zip`, one JSON record per entry), entry by entry.
 * `base` is the ecosystem the file is for. Fails with `FeedError` when the file is no readable zip archive.
 */
export async function* readOsvZip(path: string, base: string): FeedReader {
  let zip: ZipFile;
  try {
    // Ids hold colons and spaces, which are names to us, never paths: nothing is written by them.
    zip = await openPromise(path, { lazyEntries: true, strictFileNames: false, autoClose: false });
  } catch (cause) {
    throw new FeedError('malformed', `${path} is not a readable zip archive: ${messageOf(cause)}`, { cause });
  }
  try {
    for await (const batch of batches(zip.eachEntry())) {
      yield* await Promise.all(batch.map((entry) => readEntry(zip, entry, base)));
    }
  } catch (cause) {
    throw new FeedError('malformed', `${path} is damaged: ${messageOf(cause)}`, { cause });
  } finally {
    zip.close();
  }
}

/** Entries to unpack at the same time: a few, and little data. */
async function* batches(entries: AsyncIterable<Entry>): AsyncGenerator<readonly Entry[]> {
  let batch: Entry[] = [];
  let bytes = 0;
  for await (const entry of entries) {
    if (!entry.fileName.endsWith('.json')) continue;
    batch.push(entry);
    bytes += entry.uncompressedSize;
    if (batch.length < BATCH_ENTRIES && bytes < BATCH_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  yield batch;
}

async function readEntry(zip: ZipFile, entry: Entry, base: string): Promise<FeedRecord> {
  const name = entry.fileName;
  if (entry.uncompressedSize > MAX_RECORD_BYTES) {
    return rejected(base, problem('too-large', name, `${entry.uncompressedSize} bytes, at most ${MAX_RECORD_BYTES}`));
  }
  try {
    // yauzl ends the stream with an error when an entry unpacks to more than it declares.
    return parseOsvRecord(await text(await zip.openReadStreamPromise(entry)), base, name);
  } catch (error) {
    return rejected(base, problem('malformed-record', name, messageOf(error)));
  }
}

/** Facts of the JSON text of one record; a record that cannot be understood gives a `problem` only. */
export function parseOsvRecord(json: string, base: string, name: string): FeedRecord {
  try {
    const parsed = osvRecordSchema.safeParse(JSON.parse(json));
    if (parsed.success) return normalizeOsv(parsed.data, base);
    const [issue] = parsed.error.issues;
    return rejected(base, problem('malformed-record', name, `${issue?.path.join('.')}: ${issue?.message}`));
  } catch (error) {
    return rejected(base, problem('malformed-record', name, messageOf(error)));
  }
}

function rejected(base: string, fact: FeedFact): FeedRecord {
  return { facts: [fact], feed: `osv:${base}`, ecosystems: [] };
}
