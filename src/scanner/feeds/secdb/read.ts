import { createReadStream } from 'node:fs';
import { messageOf } from '../../../platform/errors.ts';
import { readBounded } from '../../../platform/streams.ts';
import { type FeedReader, problem } from '../advisory.ts';
import { FeedError } from '../errors.ts';
import { normalizeSecdb, SECDB_FEED } from './normalize.ts';
import { secdbPackageSchema, secdbSchema } from './schema.ts';

/** Real files have less than two megabytes. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Reads one file of Alpine's security database, package by package. Fails with `FeedError` when it is none. */
export async function* readSecdb(path: string): FeedReader {
  const bytes = await readBounded(createReadStream(path), MAX_BYTES, path);
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new FeedError('malformed', `${path} is not JSON: ${messageOf(cause)}`, { cause });
  }
  const file = secdbSchema.safeParse(json);
  if (!file.success) {
    throw new FeedError('malformed', `${path} is no Alpine security database: ${file.error.issues[0]?.message}`);
  }
  const { distroversion: branch, packages } = file.data;
  for (const { pkg } of packages) {
    const parsed = secdbPackageSchema.safeParse(pkg);
    if (parsed.success) yield normalizeSecdb(branch, parsed.data);
    else {
      const fact = problem('malformed-record', `Alpine:${branch}`, parsed.error.issues[0]?.message ?? 'malformed');
      yield { facts: [fact], feed: SECDB_FEED, ecosystems: [] };
    }
  }
}
