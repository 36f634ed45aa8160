import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseLocation } from '../src/db/database.ts';
import { digestOf } from '../src/oci/digest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../src/oci/media-types.ts';
import { configOf, manifestOf } from '../test/chaos/content.ts';
import { type BreakwaterServer, startBreakwater } from '../test/support/breakwater.ts';
import { startPostgres } from '../test/support/postgres-server.ts';
import { argumentsOf, wrongUse } from '../test/support/usage.ts';
import { openWire, type Wire } from '../test/support/wire.ts';
import { checkoutLine, machineLine } from './machine.ts';
import { addReferrers, addRepositories, addTags, fill, tagName } from './scale/fill.ts';
import { type Measured, repeat, timed, walk } from './scale/measure.ts';

const ENGINES = ['sqlite', 'postgres'] as const;
const PROJECT = 'scale';
const TAGS = `${PROJECT}/tags`;
const OTHERS = `${PROJECT}/others`;
const IMAGES = 20;
const SAMPLES = 200;
const PAGES = 60;
const MANY_TAGS = 10_000;
const CHILDREN = 1000;
const AT_ONCE = 8;
const PAGE_GOAL_MS = 20;

const { values } = argumentsOf('bench:scale', {
  options: {
    database: { type: 'string', default: 'both' },
    /** Of the largest numbers; below 1 for a quick look. */
    scale: { type: 'string', default: '1' },
  },
});
const scale = Number(values.scale);
const engines = ENGINES.filter((name) => values.database === 'both' || values.database === name);
if (!(scale > 0 && scale <= 1) || engines.length === 0)
  wrongUse('bench:scale', 'usage: npm run bench:scale -- [--database sqlite|postgres|both] [--scale 0.01…1]');
const SIZES = [1000, 10_000, 500_000].map((size) => Math.max(100, Math.round(size * scale)));
const REPOSITORIES = Math.round(100_000 * scale);
const REFERRERS = Math.round(10_000 * scale);

console.log(`${machineLine()}\n${await checkoutLine()}\n`);
for (const engine of engines) await run(engine);

async function run(engine: (typeof ENGINES)[number]): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'breakwater-scale-'));
  const postgres = engine === 'postgres' ? await startPostgres() : undefined;
  const location: DatabaseLocation = postgres
    ? { engine: 'postgres', url: postgres.url }
    : { engine: 'sqlite', path: join(dataDir, 'breakwater.db') };
  const environment = postgres ? { BREAKWATER_DATABASE_URL: postgres.url } : {};
  let server: BreakwaterServer | undefined;
  let wire: Wire | undefined;

  /** Nothing is kept in memory from before. */
  async function fresh(): Promise<{ readonly server: BreakwaterServer; readonly wire: Wire }> {
    await stop();
    server = await startBreakwater({ dataDir, environment });
    wire = openWire({ url: server.url, user: 'admin', password: server.password });
    return { server, wire };
  }

  async function stop(): Promise<void> {
    await wire?.close();
    await server?.stop();
    [wire, server] = [undefined, undefined];
  }

  try {
    const started = await fresh();
    await started.server.cli(['project', 'create', PROJECT]);
    const digests: string[] = [];
    for (let at = 0; at < IMAGES; at += 1) digests.push(await pushImage(started.wire, TAGS, `image-${at}`));
    const columns: Measured[][] = [];
    let filled = 0;
    for (const size of SIZES) {
      await stop();
      await fill(location, (db) => addTags(db, TAGS, { first: filled, end: size, digests }));
      filled = size;
      columns.push(await measureTags((await fresh()).wire, size));
    }
    printGrowth(`${engine}: one repository of so many tags`, columns);

    await stop();
    await fill(location, async (db) => {
      await addRepositories(db, PROJECT, REPOSITORIES);
      await addReferrers(db, TAGS, digests[0] ?? '', REFERRERS);
    });
    const others = await fresh();
    const many = await pushImage(others.wire, OTHERS, 'many');
    await stop();
    await fill(location, (db) => addTags(db, OTHERS, { first: 0, end: MANY_TAGS, digests: [many] }));
    printRows(`${engine}: other large things`, await measureOthers((await fresh()).wire, digests[0] ?? '', many));
  } finally {
    await stop();
    await postgres?.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function measureTags(wire: Wire, size: number): Promise<Measured[]> {
  const list = `/v2/${TAGS}/tags/list`;
  // Logs in, and has everything compiled.
  await timed(
    '',
    repeat(50, (at) => wire.send('GET', `/v2/${TAGS}/manifests/image-${at % IMAGES}`)),
  );
  await timed(
    '',
    repeat(20, () => wire.send('GET', `${list}?n=100`)),
  );
  const rows = [
    await timed(
      'manifest by tag, each asked for once',
      repeat(SAMPLES, (at) => wire.send('GET', `/v2/${TAGS}/manifests/${tagName((at * 7919 + 13) % size)}`)),
      PAGE_GOAL_MS,
    ),
  ];
  for (const n of [100, 1000])
    for (const [place, last] of [
      ['first', ''],
      ['middle', tagName(Math.floor(size / 2))],
      ['last', tagName(Math.max(0, size - n - 1))],
    ] as const)
      rows.push(
        await timed(
          `${place} page of ${n} tags`,
          repeat(PAGES, () => wire.send('GET', `${list}?n=${n}&last=${last}`)),
          PAGE_GOAL_MS,
        ),
      );
  const walked = await walk(wire, `${list}?n=10000`, (body) => (JSON.parse(body) as { tags: unknown[] }).tags);
  if (walked.count !== size + IMAGES) throw new Error(`the walk saw ${walked.count} tags`);
  rows.push({ what: 'all tags, pages of 10,000', ms: walked.ms, goalMs: 5000 });
  return rows;
}

async function measureOthers(wire: Wire, subject: string, many: string): Promise<Measured[]> {
  const rows: Measured[] = [];
  const middle = `${PROJECT}/r${String(Math.floor(REPOSITORIES / 2)).padStart(6, '0')}`;
  for (const [place, last] of [
    ['first', ''],
    ['middle', middle],
    ['last', `${PROJECT}/tag`],
  ] as const)
    rows.push(
      await timed(
        `${REPOSITORIES} repositories: ${place} page of 100`,
        repeat(PAGES, () => wire.send('GET', `/v2/_catalog?n=100&last=${last}`)),
        PAGE_GOAL_MS,
      ),
    );
  const catalog = await walk(wire, '/v2/_catalog?n=10000', namesIn);
  rows.push({ what: `${catalog.count} repositories, pages of 10,000`, ms: catalog.ms });
  const referrers = `/v2/${TAGS}/referrers/${subject}`;
  rows.push(
    await timed(
      `${REFERRERS} referrers: first page`,
      repeat(PAGES, () => wire.send('GET', referrers)),
      PAGE_GOAL_MS,
    ),
    await timed(
      `${REFERRERS} referrers: middle page`,
      repeat(PAGES, () => wire.send('GET', `${referrers}?last=sha256:8`)),
      PAGE_GOAL_MS,
    ),
  );
  const walked = await walk(wire, referrers, manifestsIn);
  rows.push({ what: `${walked.count} referrers, pages of 100`, ms: walked.ms });

  const index = await pushChildren(wire);
  const put = () =>
    wire.send('PUT', `/v2/${OTHERS}/manifests/index`, { body: index, headers: { 'content-type': OCI_INDEX } });
  rows.push(await timed(`index of ${CHILDREN} images: PUT`, [put]));
  rows.push(
    await timed(
      `index of ${CHILDREN} images: GET`,
      repeat(PAGES, () => wire.send('GET', `/v2/${OTHERS}/manifests/index`)),
      PAGE_GOAL_MS,
    ),
  );
  const remove = () => wire.send('DELETE', `/v2/${OTHERS}/manifests/${many}`);
  rows.push(await timed(`manifest with ${MANY_TAGS} tags: DELETE`, [remove], 200));
  return rows;
}

function namesIn(body: string): unknown[] {
  return (JSON.parse(body) as { repositories: unknown[] }).repositories;
}

function manifestsIn(body: string): unknown[] {
  return (JSON.parse(body) as { manifests: unknown[] }).manifests;
}

async function pushChildren(wire: Wire): Promise<Buffer> {
  const config = await pushConfig(wire, OTHERS, 'child');
  const children = Array.from({ length: CHILDREN }, (_, number) => {
    const manifest = JSON.parse(manifestOf(config, []).toString()) as object;
    return Buffer.from(JSON.stringify({ ...manifest, annotations: { number: String(number) } }));
  });
  const rest = [...children];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let child = rest.pop(); child; child = rest.pop()) await putManifest(wire, OTHERS, digestOf(child), child);
    }),
  );
  const manifests = children.map((child) => ({
    mediaType: OCI_MANIFEST,
    digest: digestOf(child),
    size: child.length,
    platform: { os: 'linux', architecture: 'amd64' },
  }));
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }));
}

async function pushConfig(wire: Wire, repository: string, name: string): Promise<Buffer> {
  const config = configOf(name, []);
  const path = `/v2/${repository}/blobs/uploads/?digest=${digestOf(config)}`;
  const reply = await wire.send('POST', path, { body: config });
  if (reply.status !== 201) throw new Error(`config: ${reply.status} ${reply.body.toString()}`);
  return config;
}

async function pushImage(wire: Wire, repository: string, tag: string): Promise<string> {
  const manifest = manifestOf(await pushConfig(wire, repository, tag), []);
  await putManifest(wire, repository, tag, manifest);
  return digestOf(manifest);
}

async function putManifest(wire: Wire, repository: string, reference: string, manifest: Buffer): Promise<void> {
  const reply = await wire.send('PUT', `/v2/${repository}/manifests/${reference}`, {
    body: manifest,
    headers: { 'content-type': OCI_MANIFEST },
  });
  if (reply.status !== 201) throw new Error(`manifest: ${reply.status} ${reply.body.toString()}`);
}

function printGrowth(title: string, columns: readonly (readonly Measured[])[]): void {
  console.log(
    `${title}\n\n| | ${SIZES.join(' | ')} | largest beside smallest, both at their quickest | goal |\n|---|${'---:|'.repeat(SIZES.length + 2)}`,
  );
  for (const [at, { what, goalMs }] of (columns[0] ?? []).entries()) {
    const cells = columns.map((column) => column[at]?.ms ?? Number.NaN);
    const quickest = columns.map((column) => column[at]?.quickestMs ?? Number.NaN);
    const ratio = (quickest.at(-1) ?? Number.NaN) / (quickest[0] ?? Number.NaN);
    const growth = Number.isNaN(ratio) ? '' : `${ratio.toFixed(2)}x`;
    console.log(`| ${what} | ${cells.map(text).join(' | ')} | ${growth} | ${goalText(goalMs)} |`);
  }
  console.log();
}

function printRows(title: string, rows: readonly Measured[]): void {
  console.log(`${title}\n\n| | middle | worst | goal |\n|---|---:|---:|---:|`);
  for (const { what, ms, worstMs, goalMs } of rows)
    console.log(`| ${what} | ${text(ms)} | ${worstMs === undefined ? '' : text(worstMs)} | ${goalText(goalMs)} |`);
  console.log();
}

function text(ms: number): string {
  return ms >= 1000 ? `${(ms / 1000).toFixed(2)} s` : `${ms.toFixed(ms >= 100 ? 0 : 1)} ms`;
}

function goalText(goalMs: number | undefined): string {
  return goalMs === undefined ? '' : `< ${text(goalMs)}`;
}
