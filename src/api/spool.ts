import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { newId } from '../platform/ids.ts';
import { ApiError } from './errors.ts';

/** Larger advisory databases are none; the one of all public feeds has a few hundred megabytes. */
const LARGEST_DATABASE = 4 * 1024 ** 3;

/** Hands an advisory database that is sent over as a file, which is there for as long as `use` takes. */
export async function withSpooled<Result>(
  folder: string,
  stream: IncomingMessage,
  use: (path: string) => Promise<Result>,
): Promise<Result> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, `advisories-${newId()}`);
  try {
    await pipeline(bounded(stream, LARGEST_DATABASE), createWriteStream(path, { mode: 0o600 }));
    return await use(path);
  } finally {
    await rm(path, { force: true });
  }
}

async function* bounded(stream: IncomingMessage, limit: number): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw new ApiError('too_large', `an advisory database may have ${limit} bytes`);
    yield chunk;
  }
}
