import { messageOf } from '../../../platform/errors.ts';
import { type FeedFact, type FeedReader, type FeedRecord, problem } from '../advisory.ts';
import { readZip } from '../zip-entries.ts';
import { idOfEntry, openOsvChanges } from './changes.ts';
import { normalizeOsv } from './normalize.ts';
import { osvRecordSchema } from './schema.ts';

/** One record at most; the largest real ones (kernel errata) have a few megabytes. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024;

/**
 * Reads the bulk file of one ecosystem (`<Ecosystem>/all.zip`, one JSON record per entry), entry by entry, with the changes
 * that were fetched since (`changes.sqlite` beside it). `base` is the ecosystem the file is for. Fails with `FeedError` when
 * the file is no readable zip archive.
 */
export async function* readOsvZip(path: string, base: string): FeedReader {
  const changes = openOsvChanges(path);
  try {
    for await (const entry of readZip(path, MAX_RECORD_BYTES)) {
      if (!entry.name.endsWith('.json') || changes?.stands(idOfEntry(entry.name)) === false) continue;
      const content = entry.read();
      if ('bytes' in content) yield parseOsvRecord(content.bytes.toString('utf8'), base, entry.name);
      else yield rejected(base, problem(content.problem, entry.name, content.detail));
    }
    for (const { id, json } of changes?.texts() ?? []) yield parseOsvRecord(json, base, `${id}.json`);
  } finally {
    changes?.close();
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
