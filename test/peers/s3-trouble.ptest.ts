import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { putBlob } from '../../src/blobs/blob-store.ts';
import type { S3Options } from '../../src/blobs/drivers/s3/options.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { newId } from '../../src/platform/ids.ts';
import { expectContent, pieces } from '../support/blob-content.ts';
import { freePort } from '../support/free-port.ts';
import { isLeftOut } from '../support/peers.ts';
import { S3_ACCOUNT } from '../support/s3-server.ts';
import { type S3World, startS3World } from '../support/s3-world.ts';
import type { Passing, Plan, Trouble } from '../support/troubled-proxy.ts';

const MIB = 1024 * 1024;
const SLOW_DOWN: Trouble = { kind: 'status', status: 503, code: 'SlowDown' };
const INTERNAL: Trouble = { kind: 'status', status: 500, code: 'InternalError' };

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
afterEach(() => world.proxy.plan(() => undefined));

/** Trouble for the first request of each kind. */
function once(trouble: Trouble): Plan {
  return ({ nth }) => (nth === 1 ? trouble : undefined);
}

describe.skipIf(isLeftOut('versitygw'))('a store in trouble', () => {
  it.each<[string, Trouble]>([
    ['500', INTERNAL],
    ['503', SLOW_DOWN],
    ['cut connections', { kind: 'cut' }],
    ['lost replies', { kind: 'lost-reply' }],
    ['slow replies', { kind: 'delay', ms: 300 }],
  ])('is asked again after %s, and everything is stored and read', async (_, trouble) => {
    const store = await world.replica(bucket);
    const content = randomBytes(19 * MIB);
    world.proxy.plan(once(trouble));
    await putBlob(store, digestOf(content), pieces(content));
    world.proxy.plan(once(trouble));
    await expectContent(store, content);
    expect(await store.delete(digestOf(content))).toBe(true);
    expect(await store.emptyTrash(Number.MAX_SAFE_INTEGER)).toBe(1);
  });

  it('is asked for the rest when replies break off', async () => {
    const store = await world.replica(bucket);
    const content = randomBytes(9 * MIB);
    await putBlob(store, digestOf(content), pieces(content));
    world.proxy.plan(({ method, path, nth }) =>
      method === 'GET' && isContent(path) && nth <= 8 ? { kind: 'cut-reply', after: MIB } : undefined,
    );
    await expectContent(store, content);
    expect(world.proxy.seen.filter((line) => line.includes('/objects/')).length).toBe(9);
    world.proxy.plan(({ method, path }) =>
      method === 'GET' && isContent(path) ? { kind: 'cut-reply', after: 0 } : undefined,
    );
    await expect(expectContent(store, content)).rejects.toMatchObject({ code: 'storage_failed' });
  });

  it('gets the parts it refused later on, from where it stands', async () => {
    const store = await world.replica(bucket);
    const content = randomBytes(40 * MIB);
    const id = newId();
    world.proxy.plan(({ query }) => (Number(query.get('partNumber') ?? 0) >= 3 ? SLOW_DOWN : undefined));
    await expect(store.append(id, 0, pieces(content))).rejects.toMatchObject({
      code: 'storage_failed',
      message: expect.stringContaining('overloaded'),
    });
    world.proxy.plan(() => undefined);
    const stands = await store.uploadSize(id);
    expect(stands).toBe(16 * MIB);
    await store.append(id, stands, pieces(content.subarray(stands)));
    await store.commit(id, digestOf(content));
    await expectContent(store, content);
  });

  it.each<[string, (passing: Passing) => boolean]>([
    ['putting parts together', ({ method, query }) => method === 'POST' && query.has('uploadId')],
    ['the record', ({ method, path }) => method === 'PUT' && path.includes('/uploads/')],
    ['the pointer', ({ method, path }) => method === 'PUT' && path.includes('/blobs/')],
  ])('that fails at %s shows no blob, and the upload can be finished later, elsewhere too', async (_, fails) => {
    const [one, two] = [await world.replica(bucket), await world.replica(bucket)];
    const content = randomBytes(9 * MIB);
    for (const finisher of [one, two]) {
      const id = newId();
      await one.append(id, 0, pieces(content));
      world.proxy.plan((passing) => (fails(passing) ? INTERNAL : undefined));
      await expect(one.commit(id, digestOf(content))).rejects.toMatchObject({ code: 'storage_failed' });
      world.proxy.plan(() => undefined);
      expect(await two.stat(digestOf(content))).toBeUndefined();
      expect(await finisher.uploadSize(id)).toBe(content.length);
      expect(await finisher.commit(id, digestOf(content))).toEqual({ size: content.length });
      await expectContent(one, content);
      await one.delete(digestOf(content));
    }
  });

  it('that says nothing is given up', async () => {
    const store = await world.replica(bucket, { timeoutMs: 300 });
    world.proxy.plan(() => ({ kind: 'silence' }));
    const began = performance.now();
    await expect(store.stat(digestOf('x'))).rejects.toMatchObject({
      code: 'storage_failed',
      message: expect.stringContaining('did not answer in time'),
    });
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it('may be read by a client slower than its patience', async () => {
    const store = await world.replica(bucket, { timeoutMs: 300 });
    const content = randomBytes(20 * MIB);
    await putBlob(store, digestOf(content), pieces(content));
    const read: Buffer[] = [];
    for await (const chunk of (await store.open(digestOf(content))) ?? []) {
      read.push(chunk as Buffer);
      if (read.length === 3) await delay(1500);
    }
    expect(Buffer.concat(read).equals(content)).toBe(true);
  });
});

describe.skipIf(isLeftOut('versitygw'))('a start that cannot work', () => {
  it.each<[string, Partial<S3Options> & { readonly where?: string }, RegExp]>([
    ['bucket', { where: 'no-such-bucket' }, /the bucket "no-such-bucket" does not exist .* BREAKWATER_BLOBS/],
    [
      'access key',
      { credentials: async () => ({ ...S3_ACCOUNT, accessKeyId: 'somebody' }) },
      /does not know the access key.*BREAKWATER_S3_ACCESS_KEY/,
    ],
    [
      'secret key',
      { credentials: async () => ({ ...S3_ACCOUNT, secretAccessKey: 'guessed-it' }) },
      /secret key does not belong.*BREAKWATER_S3_SECRET_KEY/,
    ],
    ['region', { region: 'eu-north-7' }, /not in the region eu-north-7.*BREAKWATER_S3_REGION/],
    ['host name', { endpoint: 'http://s3.invalid' }, /s3\.invalid cannot be reached \(E\w+\)/],
    ['spool', { spoolDir: join(process.execPath, 'spool') }, /folder for parts on their way, .*spool, cannot be used/],
  ])('says so: wrong %s', async (_, { where, ...changes }, sentence) => {
    const failure = await world.replica(where ?? bucket, changes).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code: 'storage_failed', message: expect.stringMatching(sentence) });
    expect(JSON.stringify(failure) + String((failure as Error).cause)).not.toMatch(/guessed-it|secret-key-of-tests/);
  });

  it('says so: nobody listens', async () => {
    const endpoint = `http://127.0.0.1:${await freePort()}`;
    await expect(world.replica(bucket, { endpoint })).rejects.toThrow(`${endpoint} cannot be reached (ECONNREFUSED)`);
  });
});

function isContent(path: string): boolean {
  return path.includes('/objects/');
}
