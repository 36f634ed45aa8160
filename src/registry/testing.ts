import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastify from 'fastify';
import { Agent, type Dispatcher, request } from 'undici';
import { expect } from 'vitest';
import { freshDatabase } from '../../test/support/engines.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import { openFilesystemBlobStore } from '../blobs/drivers/filesystem.ts';
import { createMemoryBlobStore } from '../blobs/drivers/memory.ts';
import type { Db } from '../db/database.ts';
import type { Engine } from '../db/engine.ts';
import { createLedger } from '../ledger/ledger.ts';
import { type Digest, type DigestAlgorithm, digestOf } from '../oci/digest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../oci/media-types.ts';
import { fixedClock } from '../platform/clock.ts';
import { silentLogger } from '../platform/logger.ts';
import type { RegistryDeps } from './deps.ts';
import type { Caller } from './ports.ts';
import { createReads } from './reads.ts';
import { registryRoutes } from './routes.ts';

export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
export const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** Code of the first error in the body. */
  readonly code: string | undefined;
}

interface Call {
  readonly headers?: Record<string, string>;
  readonly body?: Dispatcher.DispatchOptions['body'] | AsyncIterable<Uint8Array>;
  /** `null` sends no credentials. */
  readonly as?: string | null;
}

export interface TestRegistry {
  readonly origin: string;
  readonly db: Db;
  readonly blobs: BlobStore;
  readonly clock: ReturnType<typeof fixedClock>;
  readonly deps: RegistryDeps;
  call(method: Dispatcher.HttpMethod, path: string, options?: Call): Promise<Reply>;
  /** Stops the server and starts it again over the same storage. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts the registry on a free port with the projects `front`, `back` and `hub`. The bearer token names the caller:
 * `admin` may everything, `reader` pulls, `writer` pulls and pushes in `front/`, `nobody` nothing.
 */
export async function startRegistry(
  engine: Engine,
  driver: 'memory' | 'filesystem',
  changes: Partial<RegistryDeps> = {},
): Promise<TestRegistry> {
  const handle = await freshDatabase(engine);
  const root = await mkdtemp(join(tmpdir(), 'breakwater-registry-'));
  const clock = fixedClock(1_700_000_000_000);
  for (const name of ['front', 'back', 'hub']) {
    await handle.db
      .insertInto('projects')
      .values({ id: `project-${name}`, name, public: 0, created_by: 'test', created_at: 0 })
      .execute();
  }
  const memory = createMemoryBlobStore({ clock });
  const agent = new Agent({ connections: 32 });

  async function start() {
    const blobs = driver === 'memory' ? memory : await openFilesystemBlobStore({ root, clock });
    const deps: RegistryDeps = {
      db: handle.db,
      blobs,
      reads: createReads(handle),
      ledger: createLedger({ db: handle.db, clock }),
      clock,
      logger: silentLogger,
      service: 'breakwater',
      authenticate: async (authorization) => CALLERS[authorization?.replace('Bearer ', '') ?? ''],
      gate: { decide: async () => ({ kind: 'serve', warnings: [] }) },
      ingest: { blobCommitted: () => undefined, manifestStored: async () => ({ warnings: [] }) },
      ...changes,
    };
    const app = fastify({ requestTimeout: 0, forceCloseConnections: true });
    await app.register(registryRoutes, deps);
    return { app, deps, blobs, origin: await app.listen({ port: 0, host: '127.0.0.1' }) };
  }

  let running = await start();
  return {
    get origin() {
      return running.origin;
    },
    get blobs() {
      return running.blobs;
    },
    get deps() {
      return running.deps;
    },
    db: handle.db,
    clock,
    async call(method, path, options = {}) {
      const credentials: Record<string, string> =
        options.as === null ? {} : { authorization: `Bearer ${options.as ?? 'admin'}` };
      const reply = await request(`${running.origin}${path}`, {
        dispatcher: agent,
        method,
        headers: { ...credentials, ...options.headers },
        body: (options.body ?? null) as NonNullable<Dispatcher.DispatchOptions['body']> | null,
      });
      const body = Buffer.from(await reply.body.arrayBuffer());
      return { status: reply.statusCode, headers: reply.headers, body, code: codeOf(body) };
    },
    async restart() {
      await running.app.close();
      running = await start();
    },
    async close() {
      await agent.close();
      await running.app.close();
      await handle.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

const CALLERS: Readonly<Record<string, Caller>> = {
  admin: { name: 'admin', bypassesGate: false, may: () => true },
  reader: { name: 'reader', bypassesGate: false, may: (_, action) => action === 'pull' },
  writer: {
    name: 'writer',
    bypassesGate: false,
    may: (repository, action) => repository.startsWith('front/') && action !== 'delete',
  },
  nobody: { name: 'nobody', bypassesGate: false, may: () => false },
};

function codeOf(body: Buffer): string | undefined {
  try {
    return (JSON.parse(body.toString()) as { errors?: { code: string }[] }).errors?.[0]?.code;
  } catch {
    return undefined;
  }
}

/** Pushes a blob in one request and gives its digest. */
export async function pushBlob(
  registry: TestRegistry,
  repository: string,
  content: Uint8Array | string,
  algorithm: DigestAlgorithm = 'sha256',
): Promise<Digest> {
  const digest = digestOf(content, algorithm);
  const reply = await registry.call('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, {
    body: Buffer.from(content),
  });
  expect(reply.status, reply.body.toString()).toBe(201);
  return digest;
}

export interface Pushed {
  readonly digest: Digest;
  readonly bytes: Buffer;
  readonly mediaType: string;
}

/** Pushes a manifest as given and expects it to be taken. */
export async function pushManifest(
  registry: TestRegistry,
  repository: string,
  manifest: object,
  reference?: string,
): Promise<Pushed> {
  // Odd white space: what comes back must be these very bytes.
  const bytes = Buffer.from(`${JSON.stringify(manifest, null, 3)}\n `);
  const digest = digestOf(bytes);
  const mediaType = 'manifests' in manifest ? OCI_INDEX : OCI_MANIFEST;
  const reply = await registry.call('PUT', `/v2/${repository}/manifests/${reference ?? digest}`, {
    headers: { 'content-type': mediaType },
    body: bytes,
  });
  expect(reply.status, reply.body.toString()).toBe(201);
  return { digest, bytes, mediaType };
}

/** Pushes a small image: config, one layer, manifest with any additions. */
export async function pushImage(
  registry: TestRegistry,
  repository: string,
  reference?: string,
  additions: object = {},
): Promise<Pushed & { readonly config: Digest; readonly layer: Digest }> {
  const [config, layer] = [`{"config for":"${reference}"}`, `layer of ${reference}`];
  await pushBlob(registry, repository, config);
  await pushBlob(registry, repository, layer);
  const pushed = await pushManifest(registry, repository, imageManifest(config, [layer], additions), reference);
  return { ...pushed, config: digestOf(config), layer: digestOf(layer) };
}

export function imageManifest(config: string, layers: readonly string[], additions: object = {}): object {
  return {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: descriptor(OCI_CONFIG, config),
    layers: layers.map((layer) => descriptor(OCI_LAYER, layer)),
    ...additions,
  };
}

export function descriptor(mediaType: string, content: string | Uint8Array): object {
  return { mediaType, digest: digestOf(content), size: Buffer.byteLength(content) };
}

/** Follows the links of a list from page to page; gives the entries of each. */
export async function walkPages<Entry>(
  registry: TestRegistry,
  start: string,
  entries: (reply: Reply) => Entry[],
  as = 'admin',
): Promise<Entry[][]> {
  const pages: Entry[][] = [];
  for (let path: string | undefined = start; path !== undefined && pages.length < 100; ) {
    const reply: Reply = await registry.call('GET', path, { as });
    expect(reply.status).toBe(200);
    pages.push(entries(reply));
    path = /^<([^>]+)>; rel="next"$/.exec(String(reply.headers['link'] ?? ''))?.[1];
  }
  return pages;
}
