import { execFile } from 'node:child_process';
import { copyFile, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../test/support/free-port.ts';
import { mountSmallDisk } from '../../test/support/small-disk.ts';

const ROOT = join(import.meta.dirname, '../..');
const APK = 'P:apk-tools\nV:2.10.6-r0\nA:x86_64\nL:GPL-2.0-only\n\n';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'breakwater-launcher-'));
  await mkdir(join(folder, 'rootfs/lib/apk/db'), { recursive: true });
  await mkdir(join(folder, 'rootfs/etc'));
  await writeFile(join(folder, 'rootfs/etc/os-release'), 'ID=alpine\nVERSION_ID=3.10.9\n');
  await writeFile(join(folder, 'rootfs/lib/apk/db/installed'), APK);
  await mkdir(join(folder, 'large/lib/apk/db'), { recursive: true });
  const many = Array.from({ length: 1000 }, (_, at) => `P:package-${at}\nV:1.0-r0\n\n`);
  await writeFile(join(folder, 'large/lib/apk/db/installed'), many.join(''));
  await symlink(join(ROOT, 'bin/breakwater'), join(folder, 'link'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function run(program: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const { PATH } = process.env;
  const env = { PATH, HOME: folder, BREAKWATER_DATA_DIR: join(folder, 'data'), ...environment };
  return new Promise((resolve) => {
    execFile(program, args, { cwd: folder, env }, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, out, err });
    });
  });
}

const ordinary = (args: readonly string[]) => run(process.execPath, [join(ROOT, 'bin/breakwater.mjs'), ...args]);

describe.skipIf(process.platform === 'win32')('the launcher', () => {
  it('scans as the program does, whatever the snapshot holds of that', async () => {
    const nowhere = `127.0.0.1:${await freePort()}/a/b`;
    for (const args of [
      ['scan', 'rootfs'],
      ['scan', 'rootfs', '--fail-on', 'critical'],
      ['scan', 'rootfs', '-o', 'spdx', '--out', 'written'],
      ['scan', 'rootfs', '--db', 'nothing'],
      ['scan', 'nothing.tar'],
      ['scan', nowhere],
      ['scan'],
      ['scan', '--help'],
      ['--version'],
    ])
      expect([args, await run('./link', args)]).toEqual([args, await ordinary(args)]);
  });
  it.runIf(process.platform === 'linux')('fails when its output does not get out', async () => {
    const full = {
      code: 3,
      out: '',
      err: expect.stringMatching(/^breakwater: standard output cannot be written: ENOSPC.*\n$/),
    };
    const programs = [join(ROOT, 'bin/breakwater'), `${process.execPath} ${join(ROOT, 'bin/breakwater.mjs')}`];
    for (const program of programs)
      for (const args of ['scan rootfs -o json', 'scan rootfs', 'scan --help', '--version', '--help'])
        expect([args, await run('/bin/sh', ['-c', `${program} ${args} > /dev/full`])]).toEqual([args, full]);
  });
  it.runIf(process.getuid?.() === 0 && process.platform === 'linux')('fails when a part of it does', async () => {
    const disk = await mountSmallDisk({ megabytes: 1 });
    try {
      for (const program of [join(ROOT, 'bin/breakwater'), `${process.execPath} ${join(ROOT, 'bin/breakwater.mjs')}`]) {
        await disk.fill(4096);
        const { code, err } = await run('/bin/sh', ['-c', `${program} scan large -o json > ${disk.folder}/out`]);
        expect([code, err]).toEqual([3, expect.stringContaining('ENOSPC')]);
        await rm(join(disk.folder, 'out'));
        await disk.empty();
      }
    } finally {
      await disk.remove();
    }
  });
  it('needs no other Node for a scan, nor advisories that were unpacked before', async () => {
    const alone = { PATH: '', BREAKWATER_CACHE_HOME: join(folder, 'new-cache') };
    const found = expect.stringMatching(/CVE-2021-36159/);
    for (const _ of ['unpacks', 'finds them'])
      expect(await run(join(ROOT, 'bin/breakwater'), ['scan', 'rootfs'], alone)).toEqual({
        code: 0,
        out: found,
        err: '',
      });
    expect((await run(join(ROOT, 'bin/breakwater'), ['--version'], alone)).code).toBe(127);
  });
  it('starts the program that it lies beside, when its snapshot is of another one', async () => {
    await mkdir(join(folder, 'moved/bin'), { recursive: true });
    await symlink(join(ROOT, 'dist'), join(folder, 'moved/dist'));
    await copyFile(join(ROOT, 'bin/breakwater'), join(folder, 'moved/bin/breakwater'));
    await writeFile(join(folder, 'moved/bin/breakwater.mjs'), 'console.log("moved", ...process.argv.slice(2));');
    expect((await run('moved/bin/breakwater', ['scan', 'a b'])).out).toBe('moved scan a b\n');
    await rm(join(folder, 'moved/dist'));
    expect((await run('moved/bin/breakwater', ['scan', 'a b'])).out).toBe('moved scan a b\n');
  });
  it('starts without its snapshot when that is damaged, of another program or for another Node', async () => {
    const root = join(folder, 'damaged');
    await mkdir(join(root, 'bin'), { recursive: true });
    await mkdir(join(root, 'node_modules/node'), { recursive: true });
    await cp(join(ROOT, 'dist'), join(root, 'dist'), { recursive: true, verbatimSymlinks: true });
    await copyFile(join(ROOT, 'bin/breakwater'), join(root, 'bin/breakwater'));
    await writeFile(join(root, 'bin/breakwater.mjs'), 'console.log("ordinary", process.argv0);');
    const pinned = 'node_modules/node/package.json';
    await copyFile(join(ROOT, pinned), join(root, pinned));
    // Tells which Node was started with which snapshot.
    const link = join(root, 'dist/node');
    await rm(link);
    await writeFile(link, '#!/bin/sh\necho "snapshot $1"\n', { mode: 0o755 });
    const started = async () => (await run(join(root, 'bin/breakwater'), ['scan'])).out;
    expect(await started()).toBe('snapshot --snapshot-blob\n');
    for (const [name, spoil] of [
      ['dist/scan.blob', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
      ['dist/scan.blob', (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -1), Buffer.from([1])])],
      ['dist/main.js', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('\n')])],
      ['dist/scan.sums', () => Buffer.alloc(0)],
      [pinned, (bytes: Buffer) => Buffer.from(bytes.toString().replace(/"version": "\d+/, '"version": "99'))],
    ] as const) {
      const path = join(root, name);
      const bytes = await readFile(path);
      await writeFile(path, spoil(bytes));
      expect([name, await started()]).toEqual([name, 'ordinary node\n']);
      await writeFile(path, bytes);
    }
    await rm(join(root, 'dist/scan.blob'));
    expect(await started()).toBe('ordinary node\n');
  });
});
