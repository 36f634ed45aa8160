import { pipeline } from 'node:stream';
import { parser } from 'stream-json';
import { pick } from 'stream-json/filters/pick.js';
import { streamArray } from 'stream-json/streamers/stream-array.js';
import { streamObject } from 'stream-json/streamers/stream-object.js';
import { messageOf } from '../../platform/errors.ts';
import { FeedError } from './errors.ts';
import { openMaybeGzip } from './open.ts';

/** Bytes read without an item coming out of them; real items have a few megabytes at most. */
const MAX_ITEM_BYTES = 64 * 1024 * 1024;

/**
 * The items of the array at `filter` in a JSON file (`.json` or `.json.gz`), or without one the properties of the object
 * that the file is: one by one, never the whole. Fails with `FeedError` that calls the file no readable `what`.
 */
export async function* readJsonItems(
  path: string,
  what: string,
  filter?: string,
): AsyncGenerator<{ readonly key: number | string; readonly value: unknown }> {
  const items = filter === undefined ? streamObject.asStream() : streamArray.asStream();
  const tokens = filter === undefined ? parser.asStream() : pick.withParserAsStream({ filter });
  let pending = 0;
  async function* limit(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      pending += chunk.length;
      if (pending > MAX_ITEM_BYTES) throw new FeedError('malformed', `an item has over ${MAX_ITEM_BYTES} bytes`);
      yield chunk;
    }
  }
  pipeline(openMaybeGzip(path), limit, tokens, items, () => undefined);
  try {
    for await (const item of items as AsyncIterable<{ readonly key: number | string; readonly value: unknown }>) {
      pending = 0;
      yield item;
    }
  } catch (cause) {
    throw new FeedError('malformed', `${path} is no readable ${what}: ${messageOf(cause)}`, { cause });
  }
}
