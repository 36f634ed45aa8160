import { pipeline } from 'node:stream';
import { pick } from 'stream-json/filters/pick.js';
import { streamArray } from 'stream-json/streamers/stream-array.js';
import { messageOf } from '../../../platform/errors.ts';
import { type FeedReader, type FeedRecord, problem } from '../advisory.ts';
import { FeedError } from '../errors.ts';
import { openMaybeGzip } from '../open.ts';
import { NVD_FEED, normalizeNvd } from './normalize.ts';
import { nvdCveSchema } from './schema.ts';

/** Bytes read without an item coming out of them; real items have a few hundred kilobytes at most. */
const MAX_ITEM_BYTES = 64 * 1024 * 1024;

/** Reads one NVD 2.0 JSON feed file (`.json` or `.json.gz`), item by item, never the whole. */
export async function* readNvd(path: string): FeedReader {
  const items = streamArray.asStream();
  let pending = 0;
  async function* limit(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      pending += chunk.length;
      if (pending > MAX_ITEM_BYTES) throw new FeedError('malformed', `an item has over ${MAX_ITEM_BYTES} bytes`);
      yield chunk;
    }
  }
  pipeline(openMaybeGzip(path), limit, pick.withParserAsStream({ filter: 'vulnerabilities' }), items, () => undefined);
  try {
    for await (const item of items as AsyncIterable<{ readonly value: unknown }>) {
      pending = 0;
      yield parseNvdItem(item.value);
    }
  } catch (cause) {
    throw new FeedError('malformed', `${path} is no readable NVD feed: ${messageOf(cause)}`, { cause });
  }
}

/** Facts of one item of `vulnerabilities`. */
export function parseNvdItem(item: unknown): FeedRecord {
  const cve = typeof item === 'object' && item !== null && 'cve' in item ? item.cve : undefined;
  const parsed = nvdCveSchema.safeParse(cve);
  if (parsed.success) return normalizeNvd(parsed.data);
  const [issue] = parsed.error.issues;
  const fact = problem('malformed-record', NVD_FEED, `${issue?.path.join('.')}: ${issue?.message}`);
  return { facts: [fact], feed: NVD_FEED, ecosystems: [] };
}
