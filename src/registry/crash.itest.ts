import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { algorithmOf, type Digest, digestOf } from '../oci/digest.ts';
import { OCI_MANIFEST } from '../oci/media-types.ts';
import { imageManifest } from './testing.ts';

const ROUNDS = 50;
const PUSHERS = 2;

let root: string;
const agent = new Agent({ connections: 16 });
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'breakwater-crash-'));
});
afterAll(async () => {
  await agent.close();
  await rm(root, { recursive: true, force: true });
});

/** What clients tried to store, what of it they were told is stored, and what has not been looked at since. */
interface Journal {
  readonly tried: Set<Digest>;
  readonly acknowledged: Set<Digest>;
  readonly open: Set<Digest>;
  readonly tags: Map<string, Digest>;
}

function newJournal(): Journal {
  return { tried: new Set(), acknowledged: new Set(), open: new Set(), tags: new Map() };
}

function note(journal: Journal, digest: Digest): void {
  journal.tried.add(digest);
  journal.open.add(digest);
}

it(`loses nothing acknowledged and shows nothing damaged over ${ROUNDS} kills`, async () => {
  const [blobs, manifests] = [newJournal(), newJournal()];
  for (let round = 0; round < ROUNDS; round += 1) {
    const server = await start();
    await verify(server.origin, 'blobs', blobs, blobs.open);
    await verify(server.origin, 'manifests', manifests, manifests.open);
    const pushing = Array.from({ length: PUSHERS }, (_, at) =>
      pushUntilKilled(server.origin, `${round}-${at}`, blobs, manifests),
    );
    // By the clock alone a busy machine would have acknowledged nothing before most of the kills.
    const before = blobs.acknowledged.size;
    const patience = round % 2 === 1 ? 2000 : 0;
    for (let waits = 0; blobs.acknowledged.size < before + 2 && waits < patience; waits += 1) await sleep(1);
    await sleep(randomInt(5, 120));
    server.process.kill('SIGKILL');
    await Promise.all([once(server.process, 'exit'), ...pushing]);
  }
  const last = await start();
  await verify(last.origin, 'blobs', blobs, blobs.tried);
  await verify(last.origin, 'manifests', manifests, manifests.tried);
  last.process.kill('SIGKILL');
  expect(blobs.acknowledged.size).toBeGreaterThan(ROUNDS);
  expect(manifests.acknowledged.size).toBeGreaterThan(ROUNDS / 2);
  // Some pushes must have been hit, or the test proves nothing.
  expect(blobs.tried.size + manifests.tried.size).toBeGreaterThan(
    blobs.acknowledged.size + manifests.acknowledged.size,
  );
});

async function start(): Promise<{ process: ChildProcess; origin: string }> {
  const script = fileURLToPath(new URL('./crash-server.testing.ts', import.meta.url));
  const child = spawn(process.execPath, [script, root], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { process: child, origin: line.toString().trim() };
}

/** Acknowledged content must be there; what else is visible must be whole. */
async function verify(origin: string, kind: 'blobs' | 'manifests', journal: Journal, which: Set<Digest>) {
  for (const digest of which) {
    const reply = await send(origin, 'GET', `/v2/front/app/${kind}/${digest}`);
    const found = reply.status === 200 ? digestOf(reply.body, algorithmOf(digest)) : `status ${reply.status}`;
    if (journal.acknowledged.has(digest)) expect(found).toBe(digest);
    else expect([digest, 'status 404']).toContain(found);
  }
  journal.open.clear();
  const tags = which === journal.tried ? [...journal.tags] : [...journal.tags].slice(-10);
  for (const [tag, digest] of tags) {
    const reply = await send(origin, 'HEAD', `/v2/front/app/manifests/${tag}`);
    expect(reply.headers['docker-content-digest']).toBe(digest);
  }
}

/** Pushes images in all styles until the server is gone. */
async function pushUntilKilled(origin: string, name: string, blobs: Journal, manifests: Journal): Promise<void> {
  try {
    for (let count = 0; ; count += 1) {
      const layer = randomBytes(randomInt(1, 60_000)).toString('base64');
      for (const content of ['{}', layer]) await pushBlob(origin, content, count, blobs);
      const manifest = JSON.stringify(imageManifest('{}', [layer]));
      const digest = digestOf(manifest);
      note(manifests, digest);
      const tag = `tag-${name}-${count}`;
      const headers = { 'content-type': OCI_MANIFEST };
      const reply = await send(origin, 'PUT', `/v2/front/app/manifests/${tag}`, Buffer.from(manifest), headers);
      expect(reply.status, reply.body.toString()).toBe(201);
      manifests.acknowledged.add(digest);
      manifests.tags.set(tag, digest);
    }
  } catch (error) {
    if (!isConnectionError(error)) throw error;
  }
}

async function pushBlob(origin: string, content: string, count: number, journal: Journal): Promise<void> {
  const digest = digestOf(content);
  note(journal, digest);
  const body = Buffer.from(content);
  let status: number;
  if (count % 3 === 0) {
    status = (await send(origin, 'POST', `/v2/front/app/blobs/uploads/?digest=${digest}`, body)).status;
  } else {
    let location = String((await send(origin, 'POST', '/v2/front/app/blobs/uploads/')).headers['location']);
    const streamed = count % 3 === 1;
    if (streamed) location = String((await send(origin, 'PATCH', location, body)).headers['location']);
    status = (await send(origin, 'PUT', `${location}?digest=${digest}`, streamed ? undefined : body)).status;
  }
  expect(status).toBe(201);
  journal.acknowledged.add(digest);
}

async function send(
  origin: string,
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH',
  path: string,
  body?: Buffer,
  headers: Record<string, string> = {},
) {
  const reply = await request(`${origin}${path}`, { dispatcher: agent, method, headers, body: body ?? null });
  return { status: reply.statusCode, headers: reply.headers, body: Buffer.from(await reply.body.arrayBuffer()) };
}

function isConnectionError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /ECONN|EPIPE|UND_ERR_SOCKET/.test(String(error.code));
}
