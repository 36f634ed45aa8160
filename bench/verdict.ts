import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { FilePart } from '../src/scanner/image-source.ts';
import { openLocalTarget } from '../src/scanner/sources/open.ts';
import { type BreakwaterServer, startBreakwater } from '../test/support/breakwater.ts';
import { openWire, type Wire } from '../test/support/wire.ts';
import type { Row, Sample } from './figures.ts';
import { type BenchImage, benchImages } from './images.ts';
import type { Options } from './options.ts';
import { printRows } from './print.ts';
import { familyOf } from './processes.ts';

const PROJECT = 'bench';
const QUIET_MS = 500;

/**
 * How long the PUT of a manifest takes, with its verdict in the answer, when the layers were pushed before and have been looked
 * into: every manifest is another one, so that each is composed, matched, judged and stored.
 */
export async function benchVerdicts({ rounds, folder, scale }: Options): Promise<void> {
  const turns = Math.max(1, Math.round(10 * scale));
  console.log(`\n# Verdict in the answer to a manifest: ${rounds} rounds of ${turns}, layers pushed before`);
  const rows: Row[] = [];
  for (const image of await benchImages(folder)) {
    const samples: Sample[] = [];
    for (let round = 0; round < rounds; round += 1) samples.push(await measure(image, turns));
    rows.push({ scenario: image.name, samples: new Map([['Breakwater', samples]]) });
  }
  printRows(rows);
}

async function measure({ archive }: BenchImage, turns: number): Promise<Sample> {
  const server = await startBreakwater({ environment: { BREAKWATER_LOG_LEVEL: 'error' } });
  const wire = openWire({ url: server.url, user: 'admin', password: server.password });
  try {
    const created = await server.cli(['project', 'create', PROJECT]);
    if (created.code !== 0) throw new Error(created.screen);
    const layer = await pushLayer(wire, archive);
    await quiet(server);
    const before = await cpuOf(server);
    const times: number[] = [];
    for (let turn = 0; turn < turns; turn += 1) times.push(await putManifest(wire, layer, turn));
    const [verdict] = [await server.cli(['verdict', `${PROJECT}/image:turn-0`])];
    if (!/warning|allowed|blocked/i.test(verdict.screen)) throw new Error(`there is no verdict:\n${verdict.screen}`);
    times.sort((a, b) => a - b);
    const middle = times[Math.floor(times.length / 2)] ?? 0;
    return {
      perSecond: 1000 / middle,
      p50Ms: middle,
      p99Ms: times.at(-1) ?? 0,
      cpuMs: ((await cpuOf(server)) - before) / turns,
    };
  } finally {
    await wire.close();
    await server.stop();
  }
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

async function pushLayer(wire: Wire, archive: string): Promise<Descriptor> {
  const target = await openLocalTarget(archive);
  if (target?.kind !== 'image') throw new Error(`${archive} is no image`);
  const part = (await target.source.layers[0]?.open()) as FilePart;
  const { path, start = 0, size = 0 } = part;
  const bytes = () => createReadStream(path, { start, end: start + size - 1, highWaterMark: 1024 * 1024 });
  const hash = createHash('sha256');
  for await (const chunk of bytes()) hash.update(chunk as Buffer);
  const digest = `sha256:${hash.digest('hex')}`;
  await target.source.close();
  await pushBlob(wire, digest, { stream: bytes, headers: { 'content-length': String(size) } });
  return { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size };
}

async function pushBlob(wire: Wire, digest: string, content: NonNullable<Parameters<Wire['send']>[2]>): Promise<void> {
  const scope = `repository:${PROJECT}/image:pull,push`;
  const started = await wire.send('POST', `/v2/${PROJECT}/image/blobs/uploads/`, { scope });
  const location = new URL(String(started.headers['location']), 'http://x');
  location.searchParams.set('digest', digest);
  const target = location.host === 'x' ? location.pathname + location.search : location.href;
  const stored = await wire.send('PUT', target, { scope, ...content });
  if (stored.status !== 201) throw new Error(`blob: ${stored.status} ${stored.body.toString()}`);
}

/** Milliseconds from sending a manifest to its answer. */
async function putManifest(wire: Wire, layer: Descriptor, turn: number): Promise<number> {
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: [layer.digest] },
      history: [{ created_by: `ADD rootfs / # turn ${turn}` }],
    }),
  );
  const digest = `sha256:${createHash('sha256').update(config).digest('hex')}`;
  await pushBlob(wire, digest, { body: config });
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const configType = 'application/vnd.oci.image.config.v1+json';
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: { mediaType: configType, digest, size: config.length },
    layers: [layer],
  };
  const began = performance.now();
  const reply = await wire.send('PUT', `/v2/${PROJECT}/image/manifests/turn-${turn}`, {
    scope: `repository:${PROJECT}/image:pull,push`,
    body: Buffer.from(JSON.stringify(manifest)),
    headers: { 'content-type': mediaType },
  });
  const took = performance.now() - began;
  if (reply.status !== 201) throw new Error(`manifest: ${reply.status} ${reply.body.toString()}`);
  return took;
}

/** Waits until the server does nothing any more: what was pushed has been looked into. */
async function quiet(server: BreakwaterServer): Promise<void> {
  for (let still = 0, last = await cpuOf(server); still < 4; ) {
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    const now = await cpuOf(server);
    still = now - last < QUIET_MS / 10 ? still + 1 : 0;
    last = now;
  }
}

/** Processor time of a server so far, and of the processes that look into layers for it, ms. */
async function cpuOf({ pid }: BreakwaterServer): Promise<number> {
  return (await familyOf(pid)).reduce((sum, { cpuMs }) => sum + cpuMs, 0);
}
