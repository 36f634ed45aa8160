import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../../test/support/free-port.ts';
import { createRegistryClient, type RegistryClient } from '../../mirror/registry-client.ts';
import { digestOf } from '../../oci/digest.ts';
import { fixedClock, systemClock } from '../../platform/clock.ts';
import { createHttpClient } from '../../platform/http-client.ts';
import { buildAdvisoryDatabase } from '../../scanner/advisories/build.ts';

const PROGRAM = join(import.meta.dirname, '../../../bin/breakwater.mjs');
const FEEDS = join(import.meta.dirname, '../../scanner/advisories/testdata/feeds');
const PASSWORD = 'first-password';
const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const http = createHttpClient({ userAgent: 'test' });

let folder: string;
let url: string;
let host: string;
let server: ChildProcess;
let client: RegistryClient;
let database: string;
let version: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'breakwater-artifact-'));
  database = join(folder, 'a.sqlite');
  const clock = fixedClock(Date.parse('2026-11-25T12:00:00Z'));
  ({ version } = await buildAdvisoryDatabase({ from: FEEDS, out: database, clock }));
  const port = await freePort();
  host = `127.0.0.1:${port}`;
  url = `http://${host}`;
  server = spawn(process.execPath, [PROGRAM, 'serve'], {
    stdio: 'ignore',
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      BREAKWATER_DATA_DIR: join(folder, 'server'),
      BREAKWATER_LISTEN: host,
      BREAKWATER_WEBHOOK_LISTEN: `127.0.0.1:${await freePort()}`,
      BREAKWATER_METRICS_LISTEN: `127.0.0.1:${await freePort()}`,
      BREAKWATER_ADMIN_PASSWORD: PASSWORD,
      BREAKWATER_LOG_LEVEL: 'silent',
    },
  });
  await answers();
  client = createRegistryClient(
    { http, clock: systemClock },
    { url, credentials: { username: 'admin', password: PASSWORD } },
  );
  expect(await run('project', 'create', 'security')).toMatchObject({ code: 0 });
});
afterAll(async () => {
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGTERM');
  await Promise.all([ended, http.close()]);
  await rm(folder, { recursive: true, force: true });
});

async function answers(): Promise<void> {
  const end = Date.now() + 60_000;
  while (!(await fetch(`${url}/v2/`).catch(() => undefined))) {
    if (Date.now() > end) throw new Error('the server does not answer');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function run(...args: string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    BREAKWATER_DATA_DIR: join(folder, 'data'),
    BREAKWATER_URL: url,
    BREAKWATER_USER: 'admin',
    BREAKWATER_PASSWORD: PASSWORD,
  };
  return new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM, ...args], { env, cwd: folder }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

/** Pushes a manifest like that of a pushed database, changed. */
async function pushChanged(tag: string, change: (manifest: Record<string, unknown>) => void): Promise<void> {
  const found = await client.getManifest('security/advisories', 'latest');
  const manifest = JSON.parse(found?.content.toString() ?? '') as Record<string, unknown>;
  change(manifest);
  await client.putManifest('security/advisories', tag, MANIFEST_TYPE, Buffer.from(JSON.stringify(manifest)));
}

describe('a database in a registry', () => {
  it('is pushed with what it is, pulled into a file, and into the server', async () => {
    const pushed = await run('db', 'push', `${host}/security/advisories:latest`, '--db', database, '-o', 'json');
    expect(pushed.err).toBe('');
    expect(JSON.parse(pushed.out)).toMatchObject({ version, builtAt: '2026-11-25T12:00:00Z' });
    const found = await client.getManifest('security/advisories', 'latest');
    expect(JSON.parse(found?.content.toString() ?? '')).toMatchObject({
      artifactType: 'application/vnd.breakwater.advisories.v1',
      layers: [{ mediaType: 'application/vnd.breakwater.advisories.sqlite.v1+zstd' }],
      annotations: {
        'io.breakwater.advisories.version': version,
        'org.opencontainers.image.created': '2026-11-25T12:00:00Z',
      },
    });
    const plain = await run('db', 'pull', `${host}/security/advisories:latest`, '--out', 'b.sqlite');
    expect(plain).toMatchObject({ code: 0, err: '' });
    expect((await readFile(join(folder, 'b.sqlite'))).equals(await readFile(database))).toBe(true);
    const into = await run('db', 'pull', `${host}/security/advisories:latest`);
    expect(into.out).toContain('the server; what is stored is being judged again');
    expect((await run('db', 'status')).out).toContain(version);
  });

  it.each([
    ['another schema', /has schema 999, this program reads schema/, { 'io.breakwater.advisories.schema': '999' }],
    [
      'another content than promised',
      /promises sha256:0 but holds sha256:/,
      { 'io.breakwater.advisories.version': 'sha256:0' },
    ],
  ])('is not taken with %s', async (_, message, annotations) => {
    await pushChanged('bad', (manifest) => Object.assign(manifest['annotations'] as object, annotations));
    await writeFile(join(folder, 'kept.sqlite'), 'old');
    const pulled = await run('db', 'pull', `${host}/security/advisories:bad`, '--out', 'kept.sqlite');
    expect(pulled).toMatchObject({ code: 3, err: expect.stringMatching(message) });
    expect(await readFile(join(folder, 'kept.sqlite'), 'utf8')).toBe('old');
  });

  it('is not taken when it is none, or damaged inside', async () => {
    await pushChanged('other', (manifest) => Object.assign(manifest, { artifactType: 'application/x' }));
    expect((await run('db', 'pull', `${host}/security/advisories:other`)).err).toMatch(/is no advisory database/);
    const content = Buffer.from('no database');
    const digest = digestOf(content);
    await client.putBlob('security/advisories', digest, content.length, [content] as unknown as AsyncIterable<Buffer>);
    await pushChanged('damaged', (manifest) => {
      const [layer] = manifest['layers'] as object[];
      Object.assign(layer ?? {}, { digest, size: content.length });
    });
    const damaged = await run('db', 'pull', `${host}/security/advisories:damaged`);
    expect(damaged).toMatchObject({ code: 3, err: expect.stringMatching(/no advisory database/) });
    expect((await run('db', 'pull', `${host}/security/advisories:absent`)).err).toMatch(/there is no/);
    expect((await run('db', 'status')).out).toContain(version);
  });
});

describe('a database in a file', () => {
  it('is exported as it is installed, packed when the name says so', async () => {
    expect(await run('db', 'export', 'c.sqlite.zst', '--db', database)).toMatchObject({ code: 0, err: '' });
    expect((await stat(join(folder, 'c.sqlite.zst'))).size).toBeLessThan((await stat(database)).size);
    expect((await run('db', 'import', 'c.sqlite.zst')).out).toContain(`The server uses ${version} already`);
    expect(await run('db', 'export', 'd.sqlite', '--db', 'absent')).toMatchObject({ code: 3 });
    expect(existsSync(join(folder, 'd.sqlite'))).toBe(false);
  });

  it('is refused by the server in words that tell nothing of its folders', async () => {
    await writeFile(join(folder, 'garbage'), 'no database');
    const { code, out, err } = await run('db', 'import', 'garbage');
    expect([code, out]).toEqual([3, '']);
    expect(err).toMatch(/the file that was sent is no advisory database/);
    expect(err).not.toContain(join(folder, 'server'));
  });

  it.each([
    ['db', 'pull', 'registry.invalid/a/b:c', '--out'],
    ['db', 'build', '--from', FEEDS, '--out'],
    ['db', 'export'],
    ['scan', 'nothing', '--out'],
  ])(
    'cannot be written into a folder that is not there, which is said before anything is done: %s %s',
    async (...args) => {
      const { code, out, err } = await run(...args, 'absent/file');
      expect([code, out, err]).toEqual([
        2,
        '',
        'breakwater: absent/file cannot be written: there is no folder absent\n',
      ]);
    },
  );
});
