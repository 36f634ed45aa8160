import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BreakwaterServer, startBreakwater } from '../../test/support/breakwater.ts';
import { eventually } from '../../test/support/eventually.ts';
import { makeTar } from '../../test/support/tar.ts';
import { digestOf } from '../oci/digest.ts';
import { OCI_MANIFEST } from '../oci/media-types.ts';

/** Large enough to be analysed before its manifest comes. */
const layer = makeTar([
  { name: 'lib/apk/db/installed', content: 'P:musl\nV:1.2.5-r0\n\n' },
  { name: 'noise', content: randomBytes(64 * 1024) },
]);
const config = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}');
const manifest = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: described('application/vnd.oci.image.config.v1+json', config),
    layers: [described('application/vnd.oci.image.layer.v1.tar', layer)],
  }),
);

let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'breakwater-stopping-'));
});
afterAll(() => rm(dataDir, { recursive: true, force: true }));

describe.runIf(process.platform === 'linux')('a server that is told to stop', () => {
  it('gives up an analysis that does not end, and does it after the next start', async () => {
    const server = await startBreakwater({ dataDir, environment: { BREAKWATER_VERDICT_BUDGET_MS: '1' } });
    expect((await server.cli(['project', 'create', 'front'])).code).toBe(0);
    await put(server, layer);
    const worker = await eventually('a worker', () => workerOf(server.pid));
    process.kill(worker, 'SIGSTOP');
    await put(server, config);
    const stored = await call(server, 'PUT', 'manifests/1', manifest, OCI_MANIFEST);
    expect(stored.headers.get('warning')).toContain('is still being analysed');
    expect(await server.stop()).toBe(0);
    await expect(readFile(`/proc/${worker}/status`)).rejects.toThrow('ENOENT');

    const again = await startBreakwater({ dataDir });
    await eventually('a verdict', async () => (await again.cli(['verdict', 'front/app:1'])).code === 0);
    expect(again.output()).toContain('took up what was left unjudged');
    expect(await again.stop()).toBe(0);
  });
});

function described(mediaType: string, bytes: Buffer) {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

async function put(server: BreakwaterServer, blob: Buffer): Promise<void> {
  await call(server, 'POST', `blobs/uploads/?digest=${digestOf(blob)}`, blob, 'application/octet-stream');
}

async function call(server: BreakwaterServer, method: string, path: string, body: Buffer, type: string) {
  const authorization = `Basic ${Buffer.from(`admin:${server.password}`).toString('base64')}`;
  const headers = { authorization, 'content-type': type };
  const reply = await fetch(`${server.url}/v2/front/app/${path}`, { method, headers, body: new Uint8Array(body) });
  expect(reply.status).toBe(201);
  return reply;
}

/** The process that analyses layers for a server. */
async function workerOf(server: number): Promise<number | undefined> {
  const threads = `/proc/${server}/task`;
  for (const thread of await readdir(threads)) {
    const children = (await readFile(join(threads, thread, 'children'), 'latin1')).split(' ').filter(Boolean);
    for (const child of children)
      if ((await readFile(`/proc/${child}/cmdline`, 'latin1')).includes('analyse-worker')) return Number(child);
  }
  return undefined;
}
