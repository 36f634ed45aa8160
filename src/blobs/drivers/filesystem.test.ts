import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import { fixedClock } from '../../platform/clock.ts';
import { newId } from '../../platform/ids.ts';
import { readBounded } from '../../platform/streams.ts';
import { type BlobStore, putBlob } from '../blob-store.ts';
import { chunks, describeBlobStore } from '../conformance.ts';
import { openFilesystemBlobStore } from './filesystem.ts';

const roots: string[] = [];

async function newRoot(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'breakwater-blobs-'));
  roots.push(root);
  return root;
}

afterAll(async () => {
  for (const root of roots) await rm(root, { recursive: true, force: true });
});

describeBlobStore('filesystem', async (clock) => openFilesystemBlobStore({ root: await newRoot(), clock }));

describe('filesystem blob store', () => {
  const clock = fixedClock(0);
  const reopen = (root: string): Promise<BlobStore> => openFilesystemBlobStore({ root, clock });

  it('goes on with an upload after a restart', async () => {
    const root = await newRoot();
    const content = randomBytes(1_000_000);
    const id = newId();
    await (await reopen(root)).append(id, 0, chunks(content.subarray(0, 600_000)));
    const store = await reopen(root);
    expect(await store.uploadSize(id)).toBe(600_000);
    await store.append(id, 600_000, chunks(content.subarray(600_000)));
    expect(await store.commit(id, digestOf(content))).toEqual({ size: content.length });
  });

  it('commits an upload that was complete before a restart, and finds the blob after another', async () => {
    const root = await newRoot();
    const id = newId();
    await (await reopen(root)).append(id, 0, chunks('hello'));
    await (await reopen(root)).commit(id, digestOf('hello', 'sha512'));
    const store = await reopen(root);
    expect(await store.stat(digestOf('hello', 'sha512'))).toEqual({ size: 5 });
    expect(await readdir(join(root, 'uploads'))).toEqual([]);
  });

  it('never makes a blob of a file that lost its end behind our back', async () => {
    const root = await newRoot();
    const store = await reopen(root);
    const id = newId();
    await store.append(id, 0, chunks('hello world'));
    await truncate(join(root, 'uploads', id), 5);
    await expect(store.commit(id, digestOf('hello world'))).rejects.toMatchObject({ code: 'digest_mismatch' });
    expect(await store.stat(digestOf('hello world'))).toBeUndefined();
    expect(await store.uploadSize(id)).toBe(5);
    await store.append(id, 5, chunks(' world'));
    await store.commit(id, digestOf('hello world'));
  });

  it('heals a truncated blob and one with wrong bytes when it is pushed again', async () => {
    const root = await newRoot();
    const store = await reopen(root);
    const content = Buffer.from('precious bytes');
    const digest = digestOf(content);
    await putBlob(store, digest, chunks(content));
    const path = store.localPath?.(digest) ?? '';
    for (const damage of ['', 'pre', 'PRECIOUS BYTES']) {
      await writeFile(path, damage);
      await putBlob(store, digest, chunks(content));
      expect(await readFile(path)).toEqual(content);
    }
  });

  it('draws blobs into 256 folders per algorithm and keeps nothing else', async () => {
    const root = await newRoot();
    const store = await reopen(root);
    await putBlob(store, digestOf('a'), chunks('a'));
    expect(store.localPath?.(digestOf('a'))).toBe(
      join(root, 'blobs', 'sha256', digestOf('a').slice(7, 9), digestOf('a').slice(7)),
    );
    expect(await readdir(root)).toEqual(['blobs', 'trash', 'uploads']);
  });

  it('keeps foreign files in the trash', async () => {
    const root = await newRoot();
    const store = await reopen(root);
    await writeFile(join(root, 'trash', 'note-to-self.txt'), 'x');
    await writeFile(join(root, 'trash', '12-sha256-zz'), 'x');
    expect(await store.emptyTrash(Number.MAX_SAFE_INTEGER)).toBe(0);
    expect(await readdir(join(root, 'trash'))).toHaveLength(2);
  });

  it('says so when the disk refuses, and shows nothing', async () => {
    const root = await newRoot();
    const store = await reopen(root);
    await rm(join(root, 'uploads'), { recursive: true });
    await writeFile(join(root, 'uploads'), 'not a folder');
    await expect(store.append(newId(), 0, chunks('x'))).rejects.toMatchObject({ code: 'storage_failed' });
    await expect(reopen(root)).rejects.toMatchObject({ code: 'storage_failed' });
  });

  // Permissions do not stop root; a folder that cannot be made stops everybody.
  it('says so when it may not write', async () => {
    const root = await newRoot();
    await writeFile(join(root, 'file'), '');
    await expect(reopen(join(root, 'file', 'below'))).rejects.toMatchObject({ code: 'storage_failed' });
  });

  it('opens a stream that can be left unread', async () => {
    const store = await reopen(await newRoot());
    const content = randomBytes(5_000_000);
    await putBlob(store, digestOf(content), chunks(content));
    const stream = await store.open(digestOf(content));
    stream?.destroy();
    const again = await store.open(digestOf(content));
    expect(again && (await readBounded(again, 10_000_000, 'blob')).equals(content)).toBe(true);
  });

  it('takes a file as it lies, verified, and only plain ones', async () => {
    const root = await newRoot();
    const store = await reopen(root);
    const [file, pointer] = [join(root, 'file'), join(root, 'pointer')];
    await writeFile(file, 'content');
    await symlink(file, pointer);
    const digest = digestOf('content');
    await expect(store.adoptFile?.(digestOf('other'), file)).rejects.toMatchObject({ code: 'digest_mismatch' });
    expect(await store.adoptFile?.(digest, pointer)).toBeUndefined();
    expect(await store.adoptFile?.(digest, join(root, 'nothing'))).toBeUndefined();
    expect(await store.stat(digest)).toBeUndefined();
    expect(await store.adoptFile?.(digest, file)).toEqual({ size: 7 });
    // Once more, over itself, which `rename` takes for done.
    expect(await store.adoptFile?.(digest, file)).toEqual({ size: 7 });
    expect((await stat(file)).ino).toBe((await stat(store.localPath?.(digest) ?? '')).ino);
    expect(await readdir(join(root, 'uploads'))).toEqual([]);
  });
});
