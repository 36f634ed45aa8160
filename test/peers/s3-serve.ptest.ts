import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BreakwaterServer, startBreakwater } from '../support/breakwater.ts';
import { isLeftOut } from '../support/peers.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { S3_ACCOUNT } from '../support/s3-server.ts';
import { type S3World, startS3World } from '../support/s3-world.ts';
import { makeTar } from '../support/tar.ts';
import { openWire, type Wire } from '../support/wire.ts';

const MIB = 1024 * 1024;
const BUCKET = 'registry';
const UPLOADS = '/v2/front/app/blobs/uploads/';

let world: S3World;
let postgres: PostgresServer;
let replicas: readonly [BreakwaterServer, BreakwaterServer];
let wires: readonly [Wire, Wire];
beforeAll(async () => {
  [world, postgres] = await Promise.all([startS3World(), startPostgres()]);
  await world.server.createBucket(BUCKET);
  replicas = [await startReplica(), await startReplica()];
  wires = [openWireTo(replicas[0]), openWireTo(replicas[1])];
  const created = await replicas[0].cli(['project', 'create', 'front']);
  expect(created.code, created.screen).toBe(0);
});
afterAll(async () => {
  await Promise.all([...wires.map((wire) => wire.close()), ...replicas.map((server) => server.stop())]);
  await Promise.all([world.stop(), postgres.stop()]);
});

describe.skipIf(isLeftOut('versitygw'))('two servers over one bucket and one database', () => {
  it('take turns in one upload, and both serve the blob, whole and in part', async () => {
    const content = randomBytes(30 * MIB + 5);
    let location = String((await wires[0].send('POST', UPLOADS)).headers['location']);
    for (const [at, [first, end]] of [
      [0, 7 * MIB],
      [7 * MIB, 7 * MIB + 1],
      [7 * MIB + 1, 29 * MIB],
    ].entries()) {
      const headers = { 'content-range': `${first}-${(end as number) - 1}` };
      const wire = wires[at % 2] as Wire;
      const reply = await wire.send('PATCH', location, { body: content.subarray(first, end), headers });
      expect([reply.status, reply.headers['range']]).toEqual([202, `0-${(end as number) - 1}`]);
      location = String(reply.headers['location']);
    }
    const digest = digestOf(content);
    const put = await wires[1].send('PUT', `${location}?digest=${digest}`, { body: content.subarray(29 * MIB) });
    expect(put.status, put.body.toString()).toBe(201);
    for (const wire of wires) {
      const whole = await wire.send('GET', `/v2/front/app/blobs/${digest}`);
      expect(whole.status).toBe(200);
      expect(whole.body.equals(content)).toBe(true);
      const range = { range: 'bytes=100-199' };
      const part = await wire.send('GET', `/v2/front/app/blobs/${digest}`, { headers: range });
      expect([part.status, part.body]).toEqual([206, content.subarray(100, 200)]);
    }
  });

  it('go on elsewhere when one is killed in the middle of a chunk', async () => {
    const content = randomBytes(40 * MIB);
    const victim = await startReplica();
    const wire = openWireTo(victim);
    const location = String((await wire.send('POST', UPLOADS)).headers['location']);
    world.proxy.plan(() => undefined);
    const cut = wire.send('PATCH', location, { stream: () => stalling(content, 33 * MIB) });
    const outcome = expect(cut).rejects.toThrow();
    while (!world.proxy.seen.some((line) => line.includes('partNumber=4'))) await new Promise((r) => setTimeout(r, 20));
    await victim.kill();
    await outcome;
    await wire.close();
    const status = await wires[0].send('GET', location);
    expect(status.status).toBe(204);
    const stands = Number(String(status.headers['range']).split('-')[1]) + 1;
    expect(stands).toBeGreaterThanOrEqual(16 * MIB);
    const digest = digestOf(content);
    const rest = content.subarray(stands);
    const headers = { 'content-range': `${stands}-${content.length - 1}` };
    expect((await wires[1].send('PATCH', location, { body: rest, headers })).status).toBe(202);
    expect((await wires[0].send('PUT', `${location}?digest=${digest}`)).status).toBe(201);
    expect(digestOf((await wires[1].send('GET', `/v2/front/app/blobs/${digest}`)).body)).toBe(digest);
  });

  it('answer 503 and when to come again while the store is out of order, and go on then', async () => {
    const content = randomBytes(1000);
    const target = `${UPLOADS}?digest=${digestOf(content)}`;
    expect((await wires[0].send('POST', UPLOADS)).status).toBe(202);
    world.proxy.plan(() => ({ kind: 'status', status: 503, code: 'SlowDown' }));
    const refused = await wires[0].send('POST', target, { body: content });
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '10']);
    expect(refused.body.toString()).toContain('UNAVAILABLE');
    expect(refused.body.toString()).not.toMatch(/SlowDown|127\.0\.0\.1/);
    world.proxy.plan(() => undefined);
    expect((await wires[0].send('POST', target, { body: content })).status).toBe(201);
  });

  it('send clients to the store where that is wanted, and only who may read', async () => {
    const sending = await startReplica({ BREAKWATER_S3_REDIRECT: 'true' });
    const wire = openWireTo(sending);
    try {
      const content = randomBytes(100_000);
      const digest = digestOf(content);
      expect((await wire.send('POST', `${UPLOADS}?digest=${digest}`, { body: content })).status).toBe(201);
      const path = `/v2/front/app/blobs/${digest}`;
      const reply = await wire.send('GET', path);
      expect([reply.status, reply.headers['docker-content-digest']]).toEqual([307, digest]);
      const followed = await fetch(String(reply.headers['location']));
      expect(digestOf(Buffer.from(await followed.arrayBuffer()))).toBe(digest);
      expect((await wire.send('HEAD', path)).status).toBe(200);
      expect((await fetch(`${sending.url}${path}`, { redirect: 'manual' })).status).toBe(401);
    } finally {
      await wire.close();
      await sending.stop();
    }
  });

  it('analyse layers that come from the bucket', async () => {
    const layer = gzipSync(
      makeTar([
        { name: 'etc/os-release', content: 'ID=alpine\nVERSION_ID=3.20.3\n' },
        { name: 'lib/apk/db/installed', content: 'P:musl\nV:1.2.5-r0\nA:x86_64\no:musl\n\n' },
      ]),
    );
    const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers' } }));
    for (const content of [layer, config])
      await wires[0].send('POST', `${UPLOADS}?digest=${digestOf(content)}`, { body: content });
    const type = 'application/vnd.oci.image';
    const describing = (mediaType: string, content: Buffer) => ({
      mediaType: `${type}.${mediaType}`,
      digest: digestOf(content),
      size: content.length,
    });
    const mediaType = `${type}.manifest.v1+json`;
    const manifest = {
      schemaVersion: 2,
      mediaType,
      config: describing('config.v1+json', config),
      layers: [describing('layer.v1.tar+gzip', layer)],
    };
    const headers = { 'content-type': mediaType };
    const body = Buffer.from(JSON.stringify(manifest));
    const put = await wires[0].send('PUT', '/v2/front/app/manifests/1', { body, headers });
    expect(put.status, put.body.toString()).toBe(201);
    const sbom = await replicas[1].cli(['sbom', 'front/app:1']);
    expect(sbom.screen).toContain('pkg:apk/alpine/musl@1.2.5-r0');
  });

  it('take a gigabyte in bounded memory', async () => {
    const fresh = await startReplica();
    const wire = openWireTo(fresh);
    const before = await peakMemory(fresh.pid);
    const size = 1024 * MIB;
    const hash = createHash('sha256');
    async function* gigabyte() {
      const piece = randomBytes(MIB);
      for (let at = 0; at < size; at += MIB) {
        piece.writeUInt32LE(at / MIB);
        hash.update(piece);
        yield Buffer.from(piece);
      }
    }
    const location = String((await wire.send('POST', UPLOADS)).headers['location']);
    expect((await wire.send('PATCH', location, { stream: gigabyte })).status).toBe(202);
    const digest = `sha256:${hash.digest('hex')}`;
    const put = await wire.send('PUT', `${location}?digest=${digest}`);
    expect(put.status, put.body.toString()).toBe(201);
    const after = await peakMemory(fresh.pid);
    process.stdout.write(`peak memory: ${before} MiB before, ${after} MiB after a push of 1 GiB\n`);
    await wire.close();
    expect(await fresh.stop()).toBe(0);
    expect(after - before).toBeLessThan(200);
  });
});

describe.skipIf(isLeftOut('versitygw'))('a server whose bucket cannot be used', () => {
  it('ends at once with one sentence', async () => {
    await expect(startReplica({ BREAKWATER_BLOBS: 's3://nowhere' })).rejects.toThrow(
      /the bucket "nowhere" does not exist in the S3 store http:\S+; create it or correct BREAKWATER_BLOBS/,
    );
    await expect(startReplica({ BREAKWATER_S3_SECRET_KEY: 'guessed' })).rejects.toThrow(
      /the secret key does not belong to the access key/,
    );
  });
});

function startReplica(environment: NodeJS.ProcessEnv = {}): Promise<BreakwaterServer> {
  return startBreakwater({
    environment: {
      BREAKWATER_DATABASE_URL: postgres.url,
      BREAKWATER_SECRET_KEY: Buffer.alloc(32, 7).toString('base64'),
      BREAKWATER_BLOBS: `s3://${BUCKET}/here`,
      BREAKWATER_S3_ENDPOINT: world.proxy.url,
      BREAKWATER_S3_ACCESS_KEY: S3_ACCOUNT.accessKeyId,
      BREAKWATER_S3_SECRET_KEY: S3_ACCOUNT.secretAccessKey,
      ...environment,
    },
  });
}

function openWireTo(server: BreakwaterServer): Wire {
  return openWire({ url: server.url, user: 'admin', password: server.password });
}

/** Sends some of it and then says nothing more. */
async function* stalling(content: Buffer, until: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < until; at += MIB) yield content.subarray(at, at + MIB);
  await new Promise(() => undefined);
}

/** MiB a process held at most (proc(5), `VmHWM`). */
async function peakMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024);
}

function digestOf(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
