import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BlobStore } from '../blobs/blob-store.ts';
import { openFilesystemBlobStore } from '../blobs/drivers/filesystem.ts';
import { createMemoryBlobStore } from '../blobs/drivers/memory.ts';
import { digestOf } from '../oci/digest.ts';
import { systemClock } from '../platform/clock.ts';
import { type ByteSource, readBounded } from '../platform/streams.ts';
import { createDownloads } from './downloads.ts';

const PIECES = ['one ', 'two ', 'three ', 'four'].map((text) => Buffer.from(text.repeat(20_000)));
const CONTENT = Buffer.concat(PIECES);
const DIGEST = digestOf(CONTENT);

/** A source that yields one piece each time it is let go on, so a test decides when bytes arrive. */
function steered(pieces: readonly Buffer[]) {
  const gates = pieces.map(() => Promise.withResolvers<void>());
  async function* content(): ByteSource {
    for (const [at, piece] of pieces.entries()) {
      await gates[at]?.promise;
      yield piece;
    }
  }
  return { content, release: (count: number) => gates.slice(0, count).forEach((gate) => gate.resolve()), gates };
}

describe.each(['filesystem', 'memory'])('downloads into a %s store', (driver) => {
  let folder: string;
  let blobs: BlobStore;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'breakwater-downloads-'));
    blobs =
      driver === 'memory'
        ? createMemoryBlobStore({ clock: systemClock })
        : await openFilesystemBlobStore({ root: folder, clock: systemClock });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('fetches once for many readers, early, late and after the end', async () => {
    const downloads = createDownloads({ blobs });
    const source = steered(PIECES);
    let fetches = 0;
    const fetch = () =>
      downloads.fetch(DIGEST, CONTENT.length, async () => {
        fetches += 1;
        return source.content();
      });
    const early = readBounded(fetch().follow(), 1e9, 'early');
    source.release(2);
    const late = readBounded(fetch().follow(), 1e9, 'late');
    source.release(PIECES.length);
    expect((await early).equals(CONTENT)).toBe(true);
    expect((await late).equals(CONTENT)).toBe(true);
    await downloads.drain();
    expect(fetches).toBe(1);
    expect(await blobs.stat(DIGEST)).toEqual({ size: CONTENT.length });
  });

  it('goes on when the reader leaves', async () => {
    const downloads = createDownloads({ blobs });
    const pieces = [Buffer.from('left '), Buffer.from('alone')];
    const content = Buffer.concat(pieces);
    const source = steered(pieces);
    const download = downloads.fetch(digestOf(content), content.length, async () => source.content());
    const reader = download.follow()[Symbol.asyncIterator]();
    source.release(pieces.length);
    await reader.next();
    await reader.return?.();
    await download.done;
    expect(await blobs.stat(digestOf(content))).toEqual({ size: content.length });
  });

  it('keeps an empty blob', async () => {
    const downloads = createDownloads({ blobs });
    const download = downloads.fetch(digestOf(''), 0, async () => steered([]).content());
    expect((await readBounded(download.follow(), 10, 'empty')).length).toBe(0);
  });

  it.each([
    ['another content', [Buffer.from('what?')], 5, 'unavailable'],
    ['too much', [Buffer.from('12345'), Buffer.from('6')], 5, 'invalid_response'],
    ['too little', [Buffer.from('123')], 5, 'unavailable'],
  ])('refuses %s, for the readers too, and keeps nothing', async (_what, pieces, size, code) => {
    const downloads = createDownloads({ blobs });
    const digest = digestOf('12345');
    const source = steered(pieces);
    const download = downloads.fetch(digest, size, async () => source.content());
    const reading = readBounded(download.follow(), 1e6, 'reader');
    source.release(pieces.length);
    await expect(download.done).rejects.toMatchObject({ code });
    await expect(reading).rejects.toMatchObject({ code });
    expect(await blobs.stat(digest)).toBeUndefined();
  });
});
