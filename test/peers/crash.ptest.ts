import { createHash, randomBytes, randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { type BreakwaterServer, startBreakwater } from '../support/breakwater.ts';
import { openWire, type Reply, type Wire } from '../support/wire.ts';

const KILLS = 50;
const PUSHERS = 3;
const REPOSITORY = 'crash/app';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar';

/** A kill comes after so many answers, and then up to so many milliseconds: no machine is too slow or too fast for it. */
const MOST_ANSWERS = 40;
const MOST_MS = 25;
/** Fifty starts of the whole server, on a machine that does other things too. */
const LONGEST_MS = 20 * 60_000;

/** What was sent, and what of it the registry said it has. */
interface Journal {
  readonly sent: Set<string>;
  readonly acknowledged: Set<string>;
  /** Sent since the last look. */
  readonly recent: Set<string>;
}

const blobs = newJournal();
const manifests = newJournal();
/** Tags whose last write was acknowledged. A write that was cut off may have happened or not, so both values are good. */
const tags = new Map<string, Set<string>>();

describe('the whole server, killed at any moment of a push', () => {
  let dataDir: string | undefined;
  let server: BreakwaterServer | undefined;
  afterAll(async () => {
    await server?.kill();
    if (dataDir !== undefined) await rm(dataDir, { recursive: true, force: true });
  });

  it(
    `has every acknowledged blob and manifest after ${KILLS} kills, and shows nothing damaged`,
    async () => {
      dataDir = await mkdtemp(join(tmpdir(), 'breakwater-crash-'));
      server = await startBreakwater({ dataDir });
      const created = await server.cli(['project', 'create', 'crash']);
      expect(created.code, created.screen).toBe(0);

      for (let round = 0; round < KILLS; round += 1) {
        const wire = openWire({ url: server.url, user: 'admin', password: server.password });
        let answers = randomInt(MOST_ANSWERS);
        const enough = Promise.withResolvers<void>();
        const counted: Wire = {
          ...wire,
          async send(...request) {
            const reply = await wire.send(...request);
            answers -= 1;
            if (answers <= 0) enough.resolve();
            return reply;
          },
        };
        const pushing = Array.from({ length: PUSHERS }, (_, at) => pushUntilCut(counted, `r${round}-${at}`));
        await Promise.race([enough.promise, ...pushing]);
        await delay(randomInt(MOST_MS));
        await server.kill();
        await Promise.all(pushing);
        await wire.close();
        server = await startBreakwater({ dataDir, ports: server.ports });
        await verify(server, 'recent');
      }
      await verify(server, 'sent');
      expect(blobs.acknowledged.size).toBeGreaterThan(KILLS);
      expect(manifests.acknowledged.size).toBeGreaterThan(KILLS / 2);
      // Some pushes must have been cut off, or nothing was shown.
      expect(blobs.sent.size).toBeGreaterThan(blobs.acknowledged.size);
      expect(await server.stop()).toBe(0);
      server = undefined;
    },
    LONGEST_MS,
  );
});

function newJournal(): Journal {
  return { sent: new Set(), acknowledged: new Set(), recent: new Set() };
}

function note(journal: Journal, digest: string): void {
  journal.sent.add(digest);
  journal.recent.add(digest);
}

/** Acknowledged content is there, whole; anything else is there, whole, or not there at all. */
async function verify(server: BreakwaterServer, which: 'sent' | 'recent'): Promise<void> {
  const wire = openWire({ url: server.url, user: 'admin', password: server.password });
  try {
    for (const [kind, journal] of [
      ['blobs', blobs],
      ['manifests', manifests],
    ] as const) {
      for (const digest of journal[which]) {
        const reply = await wire.send('GET', `/v2/${REPOSITORY}/${kind}/${digest}`, { accept: MANIFEST });
        const seen = reply.status === 200 ? digestOf(reply.body) : `status ${reply.status}`;
        const good = journal.acknowledged.has(digest) ? [digest] : [digest, 'status 404'];
        expect(good, `${kind} ${digest}`).toContain(seen);
      }
      journal.recent.clear();
    }
    for (const [tag, values] of which === 'sent' ? tags : [...tags].slice(-20)) {
      const reply = await wire.send('HEAD', `/v2/${REPOSITORY}/manifests/${tag}`, { accept: MANIFEST });
      expect([...values], `tag ${tag}`).toContain(String(reply.headers['docker-content-digest']));
    }
  } finally {
    await wire.close();
  }
}

/** Pushes images of random layers in every upload style, some to one shared tag, until the server is gone. */
async function pushUntilCut(wire: Wire, name: string): Promise<void> {
  try {
    for (let count = 0; ; count += 1) {
      const layer = randomBytes(randomInt(1, 400_000));
      const config = Buffer.from(
        JSON.stringify({
          architecture: 'amd64',
          os: 'linux',
          rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
          config: { Labels: { name, count: String(count) } },
        }),
      );
      await pushBlob(wire, layer, count % 4);
      await pushBlob(wire, config, (count + 1) % 4);
      const manifest = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: MANIFEST,
          config: { mediaType: CONFIG, digest: digestOf(config), size: config.length },
          layers: [{ mediaType: LAYER, digest: digestOf(layer), size: layer.length }],
        }),
      );
      await pushManifest(wire, count % 3 === 0 ? `moving-${name.split('-')[1]}` : `${name}-${count}`, manifest);
    }
  } catch (error) {
    if (!isCutOff(error)) throw error;
  }
}

async function pushBlob(wire: Wire, content: Buffer, style: number): Promise<void> {
  const digest = digestOf(content);
  const uploads = `/v2/${REPOSITORY}/blobs/uploads/`;
  note(blobs, digest);
  if (style === 0) {
    wanted(await wire.send('POST', `${uploads}?digest=${digest}`, { body: content }), 201);
  } else {
    let location = place(wanted(await wire.send('POST', uploads), 202));
    // Whole in the PUT, one PATCH, or two PATCHes of which the second says where it goes on.
    const pieces = [[], [content], [content.subarray(0, 1000), content.subarray(1000)]][style - 1] ?? [];
    let offset = 0;
    for (const piece of pieces.filter((one) => one.length > 0)) {
      const range = `${offset}-${offset + piece.length - 1}`;
      const headers = style === 3 ? { 'content-range': range } : {};
      location = place(wanted(await wire.send('PATCH', location, { body: piece, headers }), 202));
      offset += piece.length;
    }
    const closing = `${location}${location.includes('?') ? '&' : '?'}digest=${digest}`;
    wanted(await wire.send('PUT', closing, style === 1 ? { body: content } : {}), 201);
  }
  blobs.acknowledged.add(digest);
}

async function pushManifest(wire: Wire, tag: string, manifest: Buffer): Promise<void> {
  const digest = digestOf(manifest);
  note(manifests, digest);
  const before = tags.get(tag);
  if (before) before.add(digest);
  const headers = { 'content-type': MANIFEST };
  wanted(await wire.send('PUT', `/v2/${REPOSITORY}/manifests/${tag}`, { body: manifest, headers }), 201);
  manifests.acknowledged.add(digest);
  tags.set(tag, new Set([digest]));
}

function wanted(reply: Reply, status: number): Reply {
  if (reply.status !== status) throw new Error(`${reply.status} instead of ${status}: ${reply.body.toString()}`);
  return reply;
}

function place(reply: Reply): string {
  return String(reply.headers['location']);
}

function digestOf(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/** The connection broke: the server is gone. */
function isCutOff(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /ECONN|EPIPE|UND_ERR_SOCKET/.test(code);
}
