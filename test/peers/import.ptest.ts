import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BreakwaterServer, startBreakwater } from '../support/breakwater.ts';
import { dataPath } from '../support/data.ts';
import { writeIndexLayout, writeOciLayout } from '../support/oci-layout.ts';
import { isLeftOut, requirePeer } from '../support/peers.ts';
import { type Outcome, run } from '../support/program.ts';
import { type DistributionServer, startDistribution, UPSTREAM_ACCOUNT } from '../support/registry-distribution.ts';

const LAYERS = ['20240923', '3.10.9', '3.11.13', '3.12.12', '3.14.10'].map((version) =>
  dataPath('images/alpine', `alpine-minirootfs-${version}-x86_64.tar.gz`),
);
const REPOSITORIES = 8;
const KILLS = 6;

interface Tagged {
  readonly image: string;
  readonly digest: string;
}

describe.skipIf(['registry', 'skopeo', 'oras', 'crane'].some(isLeftOut))('moving from CNCF Distribution', () => {
  let work: string;
  let old: DistributionServer;
  let server: BreakwaterServer;
  /** What the old registry has: images, an index as BuildKit makes it, a chain of referrers. */
  const pushed: Tagged[] = [];
  let signed: Tagged;

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'breakwater-import-'));
    old = await startDistribution();
    for (let at = 0; at < REPOSITORIES; at += 1) {
      const layout = join(work, `image-${at}`);
      await mkdir(layout);
      const layer = LAYERS[at % LAYERS.length] ?? '';
      writeOciLayout(layout, { layers: [layer], name: '1', label: `image ${at}` });
      await push(layout, `team/app-${at}:1`);
    }
    const layout = join(work, 'index');
    await mkdir(layout);
    writeIndexLayout(layout, { layers: [LAYERS[0] ?? ''], name: '1' });
    await push(layout, 'team/deep/index:1');
    await push(layout, 'alone:1');
    signed = pushed[0] ?? { image: '', digest: '' };
    await writeFile(join(work, 'note.txt'), 'reviewed');
    await done(
      run(
        requirePeer('oras'),
        [
          'attach',
          '--plain-http',
          '--artifact-type=text/vnd.review',
          `${old.host}/${signed.image}`,
          'note.txt:text/plain',
        ],
        { folder: work },
      ),
    );
    server = await startBreakwater();
  });
  afterAll(async () => {
    await server?.stop();
    await old?.stop();
    if (work !== undefined) await rm(work, { recursive: true, force: true });
  });

  async function push(layout: string, image: string): Promise<void> {
    const to = `docker://${old.host}/${image}`;
    await done(run('skopeo', ['copy', '--all', '--dest-tls-verify=false', `oci:${layout}:1`, to]));
    pushed.push({ image, digest: await digestAt(old.host, image) });
  }

  /** Everything is there, pulls whole, and is judged. */
  async function expectAll(
    at: Pick<BreakwaterServer, 'host' | 'password' | 'cli'>,
    nameThere: (image: string) => string,
  ) {
    for (const { image, digest } of pushed) {
      const name = nameThere(image);
      expect(await digestAt(at.host, name, at.password), image).toBe(digest);
      const to = join(work, 'back', name.replaceAll('/', '-'));
      await rm(to, { recursive: true, force: true });
      await mkdir(to, { recursive: true });
      const credentials = `admin:${at.password}`;
      const from = ['--src-tls-verify=false', `--src-creds=${credentials}`, `docker://${at.host}/${name}`];
      await done(run('skopeo', ['copy', '--all', ...from, `oci:${to}:1`]));
    }
    const verdict = await at.cli(['verdict', nameThere('team/app-1:1'), '-o', 'json']);
    expect([0, 1], verdict.screen).toContain(verdict.code);
    const subject = nameThere(signed.image).replace(/:1$/, '');
    const reply = await run(requirePeer('oras'), [
      'discover',
      '--plain-http',
      '--format=json',
      '-u=admin',
      `-p=${at.password}`,
      `${at.host}/${subject}@${signed.digest}`,
    ]);
    expect(reply.stdout, reply.screen).toContain('text/vnd.review');
  }

  it('brings its folder into a server that runs, killed again and again on the way', async () => {
    const args = ['import', 'distribution', old.storage, '--create-projects', '--default-project', 'library'];
    for (let at = 0; at < KILLS; at += 1) {
      const outcome = await server.cli(args, { timeout: 250 + at * 120 });
      // Killed, or done already.
      expect([0, 128], outcome.screen).toContain(outcome.code);
    }
    const last = await server.cli([...args, '-o', 'json']);
    expect(last.code, last.screen).toBe(0);
    await expectAll(server, (image) => (image.includes('/') ? image : `library/${image}`));
    const again = JSON.parse((await server.cli([...args, '-o', 'json'])).stdout) as Report;
    expect(again).toMatchObject({ bytes: 0, problems: 0, manifests: { imported: 0 }, blobs: { imported: 0 } });
    // Of the old schema a tag remains besides those that were pushed.
    expect(again.tags).toEqual({ imported: 0, present: pushed.length + 1 });
  });

  it('brings its folder into a data folder beside a server that stands still, by links', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'breakwater-offline-'));
    const first = await startBreakwater({ dataDir });
    const args = [
      'import',
      'distribution',
      old.storage,
      '--offline',
      '--link',
      '--project',
      'old',
      '--create-projects',
    ];
    const environment = { BREAKWATER_DATA_DIR: dataDir };
    const refused = await first.cli(args, { environment });
    expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining('another Breakwater uses')]);
    expect(await first.stop()).toBe(0);
    for (let at = 0; at < KILLS; at += 1) await first.cli(args, { environment, timeout: 300 + at * 100 });
    const last = await first.cli(args, { environment });
    expect(last.code, last.screen).toBe(0);

    const second = await startBreakwater({ dataDir });
    for (const { image } of pushed) await judged(second, `old/${image}`);
    await expectAll(second, (image) => `old/${image}`);
    const ledger = await second.cli(['ledger', 'list', '-o', 'json']);
    expect(ledger.stdout).toContain('import.run');
    expect(await second.stop()).toBe(0);
    await rm(dataDir, { recursive: true });
  });

  it('reads it as a registry that asks who is there, and reads ours with its list of referrers', async () => {
    const guarded = await startDistribution({ basic: true });
    const from = pushed[1]?.image ?? '';
    const to = `docker://${guarded.host}/${from}`;
    const credentials = `--dest-creds=${UPSTREAM_ACCOUNT.user}:${UPSTREAM_ACCOUNT.password}`;
    const source = ['--src-tls-verify=false', `docker://${old.host}/${from}`];
    await done(run('skopeo', ['copy', '--dest-tls-verify=false', credentials, ...source, to]));
    const args = ['import', 'registry', guarded.host, '--project', 'guarded', '--create-projects', '-o', 'json'];
    const refused = await server.cli(args);
    expect(refused.code, refused.screen).toBe(3);
    const withPassword = ['--source-user', UPSTREAM_ACCOUNT.user, '--source-password-stdin'];
    const brought = await server.cli([...args, ...withPassword], { input: `${UPSTREAM_ACCOUNT.password}\n` });
    expect(JSON.parse(brought.stdout), brought.screen).toMatchObject({ repositories: 1, tags: { imported: 1 } });
    await guarded.stop();

    const target = await startBreakwater();
    const asAdmin = ['--source-user', 'admin', '--source-password-stdin', '--project', 'copy', '--create-projects'];
    const copy = ['import', 'registry', server.host, '--filter', 'team/**', ...asAdmin, '-o', 'json'];
    const planned = await target.cli([...copy, '--dry-run'], { input: server.password });
    const copied = await target.cli(copy, { input: server.password });
    expect(copied.code, copied.screen).toBe(0);
    const report = JSON.parse(copied.stdout) as Report;
    // What a plan says is what is done. The project that is to be made is none yet.
    expect(JSON.parse(planned.stdout), planned.screen).toMatchObject({ bytes: report.bytes, tags: report.tags });
    expect(report.tags.imported).toBe(pushed.length);
    const subject = `${target.host}/copy/${signed.image.replace(/:1$/, '')}@${signed.digest}`;
    const login = ['-u=admin', `-p=${target.password}`];
    const found = await run(requirePeer('oras'), ['discover', '--plain-http', '--format=json', ...login, subject]);
    expect(found.stdout, found.screen).toContain('text/vnd.review');
    expect(await target.stop()).toBe(0);
  });
});

interface Report {
  readonly bytes: number;
  readonly problems: number;
  readonly tags: { readonly imported: number; readonly present: number };
}

async function done(outcome: Promise<Outcome>): Promise<Outcome> {
  const result = await outcome;
  expect(result.code, result.screen).toBe(0);
  return result;
}

async function digestAt(host: string, image: string, password?: string): Promise<string> {
  const credentials = password === undefined ? [] : [`--creds=admin:${password}`];
  const inspect = [
    'inspect',
    '--tls-verify=false',
    ...credentials,
    '--format={{.Digest}}',
    `docker://${host}/${image}`,
  ];
  return (await done(run('skopeo', inspect))).stdout.trim();
}

/** Waits until a server has judged what it found unjudged. */
async function judged(server: BreakwaterServer, image: string): Promise<void> {
  for (let tries = 0; tries < 60; tries += 1) {
    if ([0, 1].includes((await server.cli(['verdict', image])).code)) return;
    await delay(500);
  }
  throw new Error(`${image} was imported and is not judged`);
}
