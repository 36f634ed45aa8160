import { randomBytes } from 'node:crypto';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { putBlob } from '../../src/blobs/blob-store.ts';
import { chunks } from '../../src/blobs/conformance.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { fixedClock } from '../../src/platform/clock.ts';
import { newId } from '../../src/platform/ids.ts';
import { expectContent, pieces } from '../support/blob-content.ts';
import { isLeftOut } from '../support/peers.ts';
import { type S3World, startS3World } from '../support/s3-world.ts';

const MIB = 1024 * 1024;
const HOUR = 3_600_000;

let world: S3World;
let bucket: string;
beforeAll(async () => {
  world = await startS3World();
});
afterAll(() => world.stop());
beforeEach(async () => {
  bucket = `b-${newId()}`;
  await world.server.createBucket(bucket);
});

describe.skipIf(isLeftOut('versitygw'))('uploads to S3', () => {
  it('go on after a restart in the middle, with full parts and a rest behind them', async () => {
    const content = randomBytes(21 * MIB + 123);
    const id = newId();
    const cut = 18 * MIB + 7;
    await (await world.replica(bucket)).append(id, 0, pieces(content.subarray(0, cut)));
    const after = await world.replica(bucket);
    expect(await after.uploadSize(id)).toBe(cut);
    await after.append(id, cut, pieces(content.subarray(cut)));
    expect(await after.commit(id, digestOf(content))).toEqual({ size: content.length });
    await expectContent(await world.replica(bucket), content);
  });

  it('are shared by replicas that take turns, whatever the chunks', async () => {
    const [second, third] = [await world.replica(bucket), await world.replica(bucket)];
    for (const uniformPartSize of [undefined, 5 * MIB]) {
      const first = await world.replica(bucket, { uniformPartSize });
      const content = randomBytes(30 * MIB + 1);
      const id = newId();
      let offset = 0;
      for (const [at, size] of [1, 3 * MIB, 5 * MIB, 700_000, 9 * MIB, 1, content.length].entries()) {
        const store = at % 2 === 0 ? first : second;
        expect(await store.uploadSize(id)).toBe(offset);
        offset = await store.append(id, offset, pieces(content.subarray(offset, offset + size)));
      }
      await third.commit(id, digestOf(content));
      await expectContent(first, content);
    }
  });

  it('take very many small chunks and keep few objects for them', async () => {
    const [one, two] = [await world.replica(bucket), await world.replica(bucket)];
    const content = randomBytes(100 * 1000);
    const id = newId();
    for (let at = 0; at < 100; at += 1)
      await (at % 3 === 0 ? one : two).append(id, at * 1000, chunks(content.subarray(at * 1000, (at + 1) * 1000)));
    expect((await world.keys(bucket)).filter((key) => key.includes('/objects/')).length).toBeLessThan(20);
    await one.commit(id, digestOf(content));
    await expectContent(two, content);
  });

  it('never become a blob with other bytes when two replicas write to one at the same time', async () => {
    const [one, two] = [await world.replica(bucket), await world.replica(bucket)];
    const [left, right] = [randomBytes(20 * MIB), randomBytes(20 * MIB)];
    for (let round = 0; round < 3; round += 1) {
      const id = newId();
      await Promise.allSettled([one.append(id, 0, pieces(left)), two.append(id, 0, pieces(right))]);
      const outcomes = await Promise.allSettled([one.commit(id, digestOf(left)), two.commit(id, digestOf(right))]);
      for (const [at, content] of [left, right].entries()) {
        if (outcomes[at]?.status === 'fulfilled') await expectContent(one, content);
        else expect(await one.stat(digestOf(content))).toBeUndefined();
        await one.delete(digestOf(content));
      }
    }
  });

  it('are finished by one replica after another added to them', async () => {
    const [one, two] = [await world.replica(bucket), await world.replica(bucket)];
    const content = randomBytes(9 * MIB);
    const id = newId();
    await one.append(id, 0, pieces(content.subarray(0, MIB)));
    await two.append(id, MIB, pieces(content.subarray(MIB)));
    await expect(one.append(id, 5, chunks('x'))).rejects.toMatchObject({ code: 'upload_offset' });
    await one.commit(id, digestOf(content));
    await expectContent(two, content);
  });

  it('are finished by a replica that only looked before another added to them', async () => {
    const [one, two] = [await world.replica(bucket), await world.replica(bucket)];
    const content = randomBytes(25 * MIB);
    const id = newId();
    await two.append(id, 0, pieces(content.subarray(0, 9 * MIB)));
    expect(await one.uploadSize(id)).toBe(9 * MIB);
    await two.append(id, 9 * MIB, pieces(content.subarray(9 * MIB)));
    await one.commit(id, digestOf(content));
    await expectContent(two, content);
  });

  it('can be finished once more when the answer got lost, and take nothing then', async () => {
    const store = await world.replica(bucket);
    const content = randomBytes(9 * MIB);
    const id = newId();
    await store.append(id, 0, pieces(content));
    await store.commit(id, digestOf(content));
    expect(await store.commit(id, digestOf(content))).toEqual({ size: content.length });
    await expect(store.commit(id, digestOf('other'))).rejects.toMatchObject({ code: 'digest_mismatch' });
    await store.cancel(id);
    await expectContent(store, content);
  });

  it('make parts of one size where the store wants it', async () => {
    const store = await world.replica(bucket, { uniformPartSize: 5 * MIB });
    const content = randomBytes(23 * MIB);
    const id = newId();
    for (let at = 0; at < content.length; at += 6_000_000)
      await store.append(id, at, pieces(content.subarray(at, at + 6_000_000)));
    const [upload] = await world.openUploads(bucket);
    const target = { Bucket: bucket, Key: upload?.Key, UploadId: upload?.UploadId };
    const listed = await world.server.client.send(new ListPartsCommand(target));
    expect(listed.Parts?.map((part) => part.Size)).toEqual([5 * MIB, 5 * MIB, 5 * MIB, 5 * MIB]);
    await store.commit(id, digestOf(content));
    await expectContent(store, content);
  });

  it('know more parts than one page of the list holds', async () => {
    const store = await world.replica(bucket, { uniformPartSize: 5 * MIB });
    const id = newId();
    await store.append(id, 0, pieces(randomBytes(5 * MIB)));
    const [upload] = await world.openUploads(bucket);
    const target = { Bucket: bucket, Key: upload?.Key, UploadId: upload?.UploadId };
    const { client } = world.server;
    for (let from = 2; from <= 1100; from += 100)
      await Promise.all(
        Array.from({ length: Math.min(100, 1101 - from) }, (_, at) =>
          client.send(new UploadPartCommand({ ...target, PartNumber: from + at, Body: Buffer.alloc(10) })),
        ),
      );
    expect(await (await world.replica(bucket)).uploadSize(id)).toBe(5 * MIB + 1099 * 10);
  });

  it('leave nothing behind when they are cancelled or abandoned', async () => {
    const store = await world.replica(bucket);
    const [cancelled, abandoned] = [newId(), newId()];
    for (const id of [cancelled, abandoned]) await store.append(id, 0, pieces(randomBytes(18 * MIB)));
    await store.cancel(cancelled);
    expect(await (await world.replica(bucket)).cancelStale(Number.MAX_SAFE_INTEGER)).toBe(1);
    expect(await world.keys(bucket)).toEqual([]);
    expect(await world.openUploads(bucket)).toEqual([]);
    expect(await store.uploadSize(abandoned)).toBe(0);
  });
});

describe.skipIf(isLeftOut('versitygw'))('blobs in S3', () => {
  it('are one object each in the end, also when replicas stored the same content at once', async () => {
    const clock = fixedClock(Date.now());
    const replicas = [await world.replica(bucket, { clock }), await world.replica(bucket, { clock })] as const;
    const content = randomBytes(9 * MIB);
    const one = () => replicas.map((store) => putBlob(store, digestOf(content), pieces(content)));
    await Promise.all([...one(), ...one()]);
    expect(await replicas[0].cancelStale(0)).toBe(0);
    clock.advance(2 * HOUR);
    expect(await replicas[0].cancelStale(0)).toBe(0);
    await replicas[1].emptyTrash(Number.MAX_SAFE_INTEGER);
    const keys = await world.keys(bucket);
    expect(keys.map((key) => key.split('/')[1])).toEqual(['blobs', 'objects']);
    await expectContent(replicas[0], content);
  });

  it('are healed by storing them again, for every replica', async () => {
    const clock = fixedClock(Date.now());
    const [one, two] = [await world.replica(bucket, { clock }), await world.replica(bucket, { clock })];
    const content = randomBytes(1000);
    await putBlob(one, digestOf(content), chunks(content));
    await expectContent(two, content);
    await damage(digestOf(content), content.subarray(0, 10));
    expect(await two.stat(digestOf(content))).toBeUndefined();
    await putBlob(one, digestOf(content), chunks(content));
    clock.advance(HOUR);
    await expectContent(two, content);
    await damage(digestOf(content), undefined);
    expect(await two.open(digestOf(content))).toBeUndefined();
    await putBlob(one, digestOf(content), chunks(content));
    await expectContent(two, content);
  });

  it('are found again where they moved to, by a replica that remembers the old place', async () => {
    const clock = fixedClock(Date.now());
    const [one, two] = [await world.replica(bucket, { clock }), await world.replica(bucket, { clock })];
    const content = randomBytes(1000);
    await putBlob(one, digestOf(content), chunks(content));
    await expectContent(two, content);
    await one.delete(digestOf(content));
    await putBlob(one, digestOf(content), chunks(content));
    await one.emptyTrash(Number.MAX_SAFE_INTEGER);
    await expectContent(two, content);
  });

  it('refuse a pointer that nobody here wrote', async () => {
    const store = await world.replica(bucket);
    const digest = digestOf('x');
    for (const text of ['', '{}', '{"object":"../../secret","size":1}', 'x'.repeat(10_000)]) {
      await put(pointerKey(digest), Buffer.from(text));
      await expect(store.open(digest)).rejects.toMatchObject({ code: 'storage_failed' });
    }
    await putBlob(store, digest, chunks('x'));
    await expectContent(store, Buffer.from('x'));
  });

  it('are readable at an address of the store, whole and in part, for whoever has it', async () => {
    const store = await world.replica(bucket, { redirect: { endpoint: world.server.endpoint } });
    const content = randomBytes(100_000);
    await putBlob(store, digestOf(content), chunks(content));
    const url = await store.temporaryUrl?.(digestOf(content));
    expect(url).toMatch(new RegExp(`^${world.server.endpoint}/`));
    const whole = Buffer.from(await (await fetch(url ?? '')).arrayBuffer());
    expect(whole.equals(content)).toBe(true);
    const part = await fetch(url ?? '', { headers: { range: 'bytes=5-9' } });
    expect([part.status, Buffer.from(await part.arrayBuffer())]).toEqual([206, content.subarray(5, 10)]);
    expect(await store.temporaryUrl?.(digestOf('never'))).toBeUndefined();
    expect(await world.replica(bucket)).not.toHaveProperty('temporaryUrl');
  });
});

function pointerKey(digest: Digest): string {
  return `registry/blobs/sha256/${digest.slice(7, 9)}/${digest.slice(7)}`;
}

async function put(Key: string, Body: Buffer): Promise<void> {
  await world.server.client.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
}

/** Replaces the bytes of a blob behind our back; undefined takes them away. */
async function damage(digest: Digest, bytes: Buffer | undefined): Promise<void> {
  const { client } = world.server;
  const reply = await client.send(new GetObjectCommand({ Bucket: bucket, Key: pointerKey(digest) }));
  const pointer = JSON.parse((await reply.Body?.transformToString()) ?? '') as { object: string };
  const Key = `registry/objects/${pointer.object}`;
  if (bytes) await put(Key, bytes);
  else {
    await client.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
  }
}
