import Fastify, { type FastifyInstance } from 'fastify';
import { request } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import { putBlob } from '../blobs/blob-store.ts';
import { createMemoryBlobStore } from '../blobs/drivers/memory.ts';
import type { DatabaseHandle } from '../db/database.ts';
import type { Engine } from '../db/engine.ts';
import { createLedger } from '../ledger/ledger.ts';
import { type Digest, digestOf } from '../oci/digest.ts';
import { referrersTagOf } from '../oci/referrers-tag.ts';
import { fixedClock } from '../platform/clock.ts';
import { createHttpClient } from '../platform/http-client.ts';
import { silentLogger } from '../platform/logger.ts';
import { ensureRepository, linkBlob, storeManifest } from '../registry/content-store.ts';
import type { Caller, ManifestSubject, MirrorSource } from '../registry/ports.ts';
import { createReads } from '../registry/reads.ts';
import { registryRoutes } from '../registry/routes.ts';
import { createDownloads } from './downloads.ts';
import { createMirror } from './mirror.ts';
import { createUpstreams } from './upstreams.ts';

const CALLER: Caller = { name: 'anybody', may: () => true, bypassesGate: false };
const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
const FRESHNESS_SECONDS = 300;
const clock = fixedClock(1_800_000_000_000);
const http = createHttpClient({ userAgent: 'breakwater-test', idleTimeoutMs: 5000, attempts: 1 });

interface Site {
  readonly app: FastifyInstance;
  readonly origin: string;
  readonly handle: DatabaseHandle;
  readonly blobs: ReturnType<typeof createMemoryBlobStore>;
  /** `METHOD path` of every request it answered. */
  readonly seen: string[];
  readonly stored: ManifestSubject[];
  readonly mirror: ReturnType<typeof createMirror>;
}
const sites: Site[] = [];

afterEach(async () => {
  for (const site of sites.splice(0)) {
    await site.app.close();
    await site.handle.close();
  }
});

/** A registry over HTTP with one project; `upstream` makes it a mirror; `old`: from before referrers were listed. */
async function openSite(
  engine: Engine,
  project: string,
  upstream?: string,
  old = false,
): Promise<Site & { mirror?: MirrorSource }> {
  const handle = await freshDatabase(engine);
  const { db } = handle;
  await db
    .insertInto('projects')
    .values({ id: project, name: project, public: 1, created_by: 'a', created_at: 0 })
    .execute();
  if (upstream)
    await db
      .insertInto('upstreams')
      .values({
        project_id: project,
        url: upstream,
        username: null,
        secret: null,
        freshness_seconds: FRESHNESS_SECONDS,
      })
      .execute();
  const blobs = createMemoryBlobStore({ clock });
  const stored: ManifestSubject[] = [];
  const ingest = {
    blobCommitted: () => undefined,
    async manifestStored(subject: ManifestSubject) {
      stored.push(subject);
      return { warnings: [] };
    },
  };
  const upstreamFor = createUpstreams({
    http,
    clock,
    source: {
      upstreamOf: async () => (upstream ? { url: upstream, freshnessSeconds: FRESHNESS_SECONDS } : undefined),
    },
  });
  const mirror = createMirror({
    db,
    clock,
    logger: silentLogger,
    blobs,
    downloads: createDownloads({ blobs }),
    ingest,
    upstreamFor,
  });
  const app = Fastify({ requestTimeout: 0, forceCloseConnections: true });
  const seen: string[] = [];
  app.addHook('onRequest', (incoming, reply, done) => {
    seen.push(`${incoming.method} ${incoming.url}`);
    if (old && incoming.url.includes('/referrers/')) void reply.code(404).send({});
    else done();
  });
  await app.register(registryRoutes, {
    db,
    blobs,
    reads: createReads(handle),
    ledger: createLedger({ db, clock }),
    clock,
    logger: silentLogger,
    authenticate: async () => CALLER,
    service: 'test',
    gate: { decide: async () => ({ kind: 'serve' as const, warnings: [] }) },
    ingest,
    mirror,
  });
  const origin = await app.listen({ host: '127.0.0.1', port: 0 });
  const site = { app, origin, handle, blobs, seen, stored, mirror };
  sites.push(site);
  return site;
}

/** Stores an image of one layer under a tag at the site. */
async function publish(
  site: Site,
  name: string,
  tag: string,
  layer: string,
): Promise<{ manifest: Digest; layer: Digest }> {
  const deps = { db: site.handle.db, clock, blobs: site.blobs };
  const repository = await ensureRepository(deps, name);
  const descriptors = [];
  for (const [mediaType, text] of [
    ['application/vnd.oci.image.config.v1+json', `{"architecture":"amd64","os":"linux","note":"${layer}"}`],
    ['application/vnd.oci.image.layer.v1.tar', layer],
  ] as const) {
    const digest = digestOf(text);
    const { size } = await putBlob(
      site.blobs,
      digest,
      (async function* () {
        yield Buffer.from(text);
      })(),
    );
    await linkBlob(deps, repository.id, { digest, size });
    descriptors.push({ mediaType, digest, size });
  }
  const [config, only] = descriptors;
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST_TYPE, config, layers: [only] }));
  const stored = await storeManifest(deps, {
    repository,
    bytes,
    tags: [tag],
    createdBy: 'a',
    missingContent: 'refuse',
  });
  return { manifest: stored.digest, layer: digestOf(layer) };
}

/** Attaches a signature to an image, with the index under the tag of the old schema that clients then write. */
async function attach(site: Site, name: string, subject: Digest) {
  const deps = { db: site.handle.db, clock };
  const repository = await ensureRepository(deps, name);
  const store = async (manifest: object, tags: readonly string[] = []) => {
    const bytes = Buffer.from(JSON.stringify(manifest));
    const { digest } = await storeManifest(deps, {
      repository,
      bytes,
      tags,
      createdBy: 'a',
      missingContent: 'accept',
    });
    return { mediaType: MANIFEST_TYPE, digest, size: bytes.length };
  };
  const empty = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf('{}'), size: 2 };
  const stored = await store({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    artifactType: 'application/x.signature',
    config: empty,
    layers: [empty],
    subject: { mediaType: MANIFEST_TYPE, digest: subject, size: 1 },
    annotations: { by: 'somebody' },
  });
  const entry = { ...stored, artifactType: 'application/x.signature', annotations: { by: 'somebody' } };
  await store({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests: [entry] }, [referrersTagOf(subject)]);
  return entry;
}

async function get(site: Site, path: string) {
  const reply = await request(`${site.origin}/v2/${path}`);
  const text = await reply.body.text();
  return {
    status: reply.statusCode,
    text,
    digest: reply.headers['docker-content-digest'],
    warning: String(reply.headers['warning'] ?? ''),
  };
}

const settled = () => Promise.all(sites.map(({ mirror }) => mirror.drain()));

describe.each(ENGINES)('mirror on %s', (engine) => {
  it('pulls an unknown image once, byte for byte, and has it analysed whole', async () => {
    const upstream = await openSite(engine, 'library');
    const image = await publish(upstream, 'library/busybox', '1.36', 'layer one');
    const mirror = await openSite('sqlite', 'hub', upstream.origin);
    const pulls = await Promise.all(Array.from({ length: 8 }, () => get(mirror, 'hub/library/busybox/manifests/1.36')));
    expect(pulls.map(({ status, digest }) => [status, digest])).toEqual(pulls.map(() => [200, image.manifest]));
    const blobs = await Promise.all(
      Array.from({ length: 8 }, () => get(mirror, `hub/library/busybox/blobs/${image.layer}`)),
    );
    expect(blobs.map(({ text }) => text)).toEqual(blobs.map(() => 'layer one'));
    await settled();
    expect(upstream.seen.filter((line) => line.startsWith('GET') && line.includes('/manifests/'))).toHaveLength(1);
    expect(upstream.seen.filter((line) => line.includes(`/blobs/${image.layer}`))).toHaveLength(1);
    expect(mirror.stored.map(({ digest, repository }) => [repository, digest])).toEqual([
      ['hub/library/busybox', image.manifest],
    ]);
  });

  it('asks for a tag again after the freshness window only, and follows it when it moved', async () => {
    const upstream = await openSite(engine, 'library');
    const first = await publish(upstream, 'library/app', 'latest', 'first');
    const mirror = await openSite('sqlite', 'hub', upstream.origin);
    expect((await get(mirror, 'hub/library/app/manifests/latest')).digest).toBe(first.manifest);
    await settled();
    const second = await publish(upstream, 'library/app', 'latest', 'second');
    upstream.seen.length = 0;
    expect((await get(mirror, 'hub/library/app/manifests/latest')).digest).toBe(first.manifest);
    expect(upstream.seen).toEqual([]);
    clock.advance(FRESHNESS_SECONDS * 1000);
    expect((await get(mirror, 'hub/library/app/manifests/latest')).digest).toBe(second.manifest);
    expect(upstream.seen[0]).toBe('HEAD /v2/library/app/manifests/latest');
    expect((await get(mirror, `hub/library/app/manifests/${first.manifest}`)).status).toBe(200);
  });

  it('fetches again what was given up since', async () => {
    const upstream = await openSite(engine, 'library');
    const image = await publish(upstream, 'library/app', '1', 'content');
    const mirror = await openSite('sqlite', 'hub', upstream.origin);
    const path = `hub/library/app/manifests/${image.manifest}`;
    expect((await get(mirror, path)).status).toBe(200);
    await settled();
    for (const gone of [path, `hub/library/app/blobs/${image.layer}`])
      expect((await request(`${mirror.origin}/v2/${gone}`, { method: 'DELETE' })).statusCode).toBe(202);
    expect((await get(mirror, path)).status).toBe(200);
    await settled();
    expect(mirror.stored.map(({ digest }) => digest)).toEqual([image.manifest, image.manifest]);
    expect(await mirror.handle.db.selectFrom('repository_blobs').select('digest').execute()).toContainEqual({
      digest: image.layer,
    });
  });

  it('serves the copy with a warning when the upstream is away, and says so when there is none', async () => {
    const upstream = await openSite(engine, 'library');
    const image = await publish(upstream, 'library/app', '1', 'content');
    const mirror = await openSite('sqlite', 'hub', upstream.origin);
    await get(mirror, 'hub/library/app/manifests/1');
    await settled();
    await upstream.app.close();
    clock.advance(FRESHNESS_SECONDS * 1000);
    const stale = await get(mirror, 'hub/library/app/manifests/1');
    expect([stale.status, stale.digest]).toEqual([200, image.manifest]);
    expect(stale.warning).toContain('served from the copy');
    expect((await get(mirror, `hub/library/app/manifests/${image.manifest}`)).status).toBe(200);
    const unknown = await get(mirror, 'hub/library/other/manifests/1');
    expect(unknown.status).toBe(503);
    expect(unknown.text).toContain('upstream');
  });

  it('hides what the upstream no longer has, and takes up an image that did not arrive whole', async () => {
    const upstream = await openSite(engine, 'library');
    const image = await publish(upstream, 'library/app', '1', 'whole');
    const mirror = await openSite('sqlite', 'hub', upstream.origin);
    await upstream.blobs.delete(image.layer);
    expect((await get(mirror, 'hub/library/app/manifests/1')).status).toBe(200);
    await settled();
    expect(mirror.stored).toEqual([]);
    await putBlob(
      upstream.blobs,
      image.layer,
      (async function* () {
        yield Buffer.from('whole');
      })(),
    );
    clock.advance(60_000);
    expect((await get(mirror, `hub/library/app/manifests/${image.manifest}`)).status).toBe(200);
    await settled();
    expect(mirror.stored.map(({ digest }) => digest)).toEqual([image.manifest]);
    expect((await get(mirror, 'hub/library/app/manifests/none')).status).toBe(404);
    expect((await get(mirror, `hub/library/app/blobs/${digestOf('nobody named it')}`)).status).toBe(404);
  });

  it.each([false, true])('lists what refers to an image as its upstream does (by the old tag: %s)', async (old) => {
    const upstream = await openSite(engine, 'library', undefined, old);
    const image = await publish(upstream, 'library/app', '1', 'signed');
    const signature = await attach(upstream, 'library/app', image.manifest);
    const mirror = await openSite(engine, 'hub', upstream.origin);
    const reply = await get(mirror, `hub/library/app/referrers/${image.manifest}`);
    expect([reply.status, JSON.parse(reply.text)]).toMatchObject([200, { manifests: [signature] }]);
    expect((await get(mirror, `hub/library/app/manifests/${signature.digest}`)).status).toBe(200);
    const none = await get(mirror, `hub/library/app/referrers/${digestOf('unsigned')}`);
    expect([none.status, JSON.parse(none.text)]).toMatchObject([200, { manifests: [] }]);
    await upstream.app.close();
    expect((await get(mirror, `hub/library/app/referrers/${image.manifest}`)).status).toBe(503);
  });

  it('finds the repository that stands for one of another registry', async () => {
    const { handle, mirror } = await openSite(engine, 'hub', 'https://registry-1.docker.io');
    for (const [id, url] of [
      ['apart', 'https://ghcr.io/team'],
      ['quay', 'https://quay.io'],
      ['quay2', 'https://quay.io'],
      ['local', 'http://localhost:5000'],
    ] as const) {
      await handle.db
        .insertInto('projects')
        .values({ id, name: id, public: 1, created_by: 'a', created_at: 0 })
        .execute();
      await handle.db
        .insertInto('upstreams')
        .values({ project_id: id, url, username: null, secret: null, freshness_seconds: 1 })
        .execute();
    }
    const find = (namespace: string, repository: string) => mirror?.repositoryFor(namespace, repository);
    expect(await find('docker.io', 'library/nginx')).toBe('hub/library/nginx');
    expect(await find('registry-1.docker.io', 'nginx')).toBe('hub/library/nginx');
    expect(await find('index.docker.io', 'hub/app')).toBe('hub/hub/app');
    expect(await find('docker.io', 'hub/library/nginx')).toBe('hub/library/nginx');
    expect(await find('QUAY.io', 'org/app')).toBe('quay/org/app');
    expect(await find('quay.io', 'quay2/org/app')).toBe('quay2/org/app');
    expect(await find('ghcr.io', 'team/app')).toBe('apart/app');
    expect(await find('ghcr.io', 'other/app')).toBeUndefined();
    expect(await find('localhost:5000', 'app')).toBe('local/app');
    for (const nobody of ['localhost', 'quay.io.evil.example', 'quay.io:5000', '', 'a b', 'quay.io/x'])
      expect(await find(nobody, 'org/app')).toBeUndefined();
  });

  it('refuses pushes', async () => {
    const mirror = await openSite(engine, 'hub', 'http://127.0.0.1:9');
    const reply = await request(`${mirror.origin}/v2/hub/app/blobs/uploads/`, { method: 'POST' });
    expect([reply.statusCode, await reply.body.text()]).toEqual([
      403,
      expect.stringContaining('mirrors another registry'),
    ]);
  });
});
