import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { type BreakwaterServer, startBreakwater } from '../support/breakwater.ts';
import { isLeftOut } from '../support/peers.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { until } from '../support/program.ts';
import { errorOf, newImage, pushUntilRefused, served } from '../support/pushed-image.ts';
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts';
import { breakCalls } from '../support/strace.ts';
import { openWire, type Reply } from '../support/wire.ts';

/** Layers larger than what anybody could keep somewhere else. */
const LAYER = 3_000_000;
const TRIES = 12;
const RECOVERY_MS = 20_000;
const REPOSITORY = 'trouble/app';

/** Where the server lies, and how it gets into trouble and out of it. */
interface Place {
  readonly dataDir: string;
  readonly environment?: NodeJS.ProcessEnv;
  cause(server: BreakwaterServer): Promise<void>;
  cure(): Promise<void>;
}

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const task of cleanUp.splice(0).reverse()) await task();
});

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'breakwater-trouble-'));
  cleanUp.push(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function disk(options: { megabytes: number; files?: number }): Promise<SmallDisk> {
  const small = await mountSmallDisk(options);
  cleanUp.push(() => small.remove());
  return small;
}

/** A data folder whose blobs lie elsewhere. */
async function apart(dataDir: string, blobs: string): Promise<void> {
  for (const name of ['blobs', 'uploads', 'trash']) {
    await mkdir(join(blobs, name));
    await symlink(join(blobs, name), join(dataDir, name));
  }
}

async function onOneDisk(): Promise<Place> {
  const small = await disk({ megabytes: 160 });
  const dataDir = join(small.folder, 'data');
  return { dataDir, cause: () => small.fill(), cure: () => small.empty() };
}

async function blobsApart(
  trouble: (small: SmallDisk) => Pick<Place, 'cause' | 'cure'>,
  files?: number,
): Promise<Place> {
  const small = await disk({ megabytes: 160, ...(files === undefined ? {} : { files }) });
  const dataDir = await folder();
  await apart(dataDir, small.folder);
  return { dataDir, ...trouble(small) };
}

async function databaseFull(): Promise<Place> {
  const small = await disk({ megabytes: 120 });
  await apart(small.folder, await folder());
  return { dataDir: small.folder, cause: () => small.fill(), cure: () => small.empty() };
}

async function brokenCalls(...faults: string[]): Promise<Place> {
  let broken: { stop(): Promise<void> } | undefined;
  return {
    dataDir: await folder(),
    async cause(server) {
      broken = await breakCalls(server.pid, faults);
    },
    cure: async () => broken?.stop(),
  };
}

async function blobsFullBesidePostgres(): Promise<Place> {
  const postgres = await startPostgres();
  cleanUp.push(() => postgres.stop());
  return { ...(await onOneDisk()), environment: { BREAKWATER_DATABASE_URL: postgres.url } };
}

const FULL = /no room left|disk of the database is full/;

describe.each<[name: string, place: () => Promise<Place>, sentence: RegExp, leftOut?: string]>([
  ['the disk with everything is full', onOneDisk, FULL],
  ['the disk of the blobs is full, the database is not', blobsFullBesidePostgres, FULL],
  ['the disk of the database is full, that of the blobs is not', databaseFull, FULL],
  [
    'the disk of the blobs is read-only',
    () => blobsApart((small) => ({ cause: () => small.readOnly(true), cure: () => small.readOnly(false) })),
    /blob storage does not answer/,
  ],
  [
    'the disk of the blobs takes no more files',
    () => blobsApart((small) => ({ cause: () => small.fillWithFiles(), cure: () => small.empty() }), 700),
    FULL,
  ],
  [
    'writing fails with EIO',
    () => brokenCalls('pwritev:error=EIO', 'pwrite64:error=EIO'),
    /blob storage does not answer|disk of the database/,
    'strace',
  ],
  [
    'syncing fails with EIO',
    () => brokenCalls('fsync:error=EIO', 'fdatasync:error=EIO'),
    /does not answer|disk of the database/,
    'strace',
  ],
])('%s', (_, place, sentence, leftOut = 'mount') => {
  it.skipIf(isLeftOut(leftOut))(
    'is said clearly and once; what is there is served; it ends without hands',
    async () => {
      const where = await place();
      const server = await startBreakwater({ dataDir: where.dataDir, environment: where.environment ?? {} });
      cleanUp.push(() => server.kill());
      const wire = openWire({ url: server.url, user: 'admin', password: server.password });
      cleanUp.push(() => wire.close());
      expect((await server.cli(['project', 'create', 'trouble'])).code).toBe(0);
      const before = newImage(REPOSITORY, 'before');
      expect(await pushUntilRefused(wire, before)).toEqual([]);
      // With the shipped advisories, for which there is no room later, and everything judged by them.
      await untilSound(server);
      await until(() => server.output().includes('judged again after new advisories'), {
        limitMs: RECOVERY_MS,
        describe: () => 'nothing is judged again',
      });
      const [logged, files] = [errorsIn(server).length, await filesIn(where.dataDir)];

      await where.cause(server);
      const refused: Reply[] = [];
      const tried = Array.from({ length: TRIES }, (_, at) => newImage(REPOSITORY, `during-${at}`, LAYER));
      for (const image of tried) refused.push(...(await pushUntilRefused(wire, image)));
      expect(refused.length).toBeGreaterThan(TRIES / 2);
      for (const reply of refused) {
        expect([reply.status, reply.headers['retry-after']]).toEqual([503, '10']);
        expect(errorOf(reply)).toMatch(sentence);
      }
      expect(await served(wire, before)).toBe('whole');
      const ready = await readiness(server);
      expect(ready.status).toBe(200);
      expect(ready.problems).not.toEqual([]);
      const entries = errorsIn(server).slice(logged);
      expect(entries.length).toBeGreaterThan(0);
      expect(entries.length).toBeLessThan(TRIES / 2);
      expect(entries.filter((line) => line.includes('"stack"'))).toEqual([]);
      // What could not be received takes no room.
      expect((await filesIn(where.dataDir)).filter((name) => !files.includes(name))).toEqual([]);

      await where.cure();
      await untilSound(server);
      const after = newImage(REPOSITORY, 'after');
      expect(await pushUntilRefused(wire, after)).toEqual([]);
      for (const image of [before, after]) expect(await served(wire, image)).toBe('whole');
      for (const { layer } of tried) {
        const { status } = await wire.send('GET', `/v2/${REPOSITORY}/blobs/${digestOf(layer)}`);
        expect(status).toBe(404);
      }
      for (const image of tried.slice(0, 3)) {
        expect(await pushUntilRefused(wire, image)).toEqual([]);
        expect(await served(wire, image)).toBe('whole');
      }
      expect(await server.stop()).toBe(0);
    },
  );
});

async function readiness(
  server: BreakwaterServer,
): Promise<{ status: number; problems: { name: string; problem: string }[] }> {
  const reply = await fetch(`${server.metricsUrl}/readyz`);
  const { problems } = (await reply.json()) as { problems: { name: string; problem: string }[] };
  return { status: reply.status, problems };
}

async function untilSound(server: BreakwaterServer): Promise<void> {
  let left: object = [];
  await until(
    async () => {
      const { problems } = await readiness(server);
      left = problems;
      return problems.length === 0;
    },
    { limitMs: RECOVERY_MS, describe: () => `the server is not sound: ${JSON.stringify(left)}` },
  );
}

/** Lines of its log that are warnings or errors. */
function errorsIn(server: BreakwaterServer): string[] {
  return server
    .output()
    .split('\n')
    .filter((line) => /"level":[45]0/.test(line));
}

async function filesIn(dataDir: string): Promise<string[]> {
  return readdir(join(dataDir, 'uploads', '.'));
}
