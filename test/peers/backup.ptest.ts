import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BreakwaterServer, startBreakwater } from '../support/breakwater.ts';
import type { Outcome } from '../support/program.ts';
import { pullSmallImage, pushSmallImage } from '../support/small-images.ts';
import { openWire, type Wire } from '../support/wire.ts';

const PUSHERS = 3;

describe('backup of a server that is pushed to all the time', () => {
  let work: string;
  let dataDir: string;
  let folder: string;
  let server: BreakwaterServer;
  let wire: Wire;
  /** Digests of manifests by tag, as they were acknowledged. */
  const acknowledged = new Map<string, string>();
  const stopping = new AbortController();
  let pushing: Promise<void[]>;

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'breakwater-backup-'));
    [dataDir, folder] = [join(work, 'data'), join(work, 'backup')];
    server = await startBreakwater({ dataDir });
    await done(server.cli(['project', 'create', 'front']));
    const upstream = ['--upstream', 'https://registry.invalid', '--upstream-user', 'me', '--upstream-password-stdin'];
    await done(server.cli(['project', 'create', 'hub', ...upstream], { input: 'upstream-password' }));
    wire = openWire({ url: server.url, user: 'admin', password: server.password });
    pushing = Promise.all(Array.from({ length: PUSHERS }, (_, at) => pushUntilStopped(at)));
    await until(30);
  });
  afterAll(async () => {
    stopping.abort();
    await pushing;
    await wire?.close();
    await server?.stop();
    await rm(work, { recursive: true, force: true });
  });

  async function pushUntilStopped(pusher: number): Promise<void> {
    for (let round = 0; !stopping.signal.aborted; round += 1) {
      const tag = `t${pusher}-${round}`;
      acknowledged.set(tag, await pushSmallImage(wire, tag));
    }
  }

  async function until(images: number): Promise<void> {
    const wanted = acknowledged.size + images;
    while (acknowledged.size < wanted) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  const backup = (...args: string[]) =>
    server.cli(['backup', ...args], { environment: { BREAKWATER_DATA_DIR: dataDir } });

  it('has all that was acknowledged before it began, and only copies what is new the next time', async () => {
    const before = new Map(acknowledged);
    const first = await done(backup(folder, '-o', 'json'));
    expect(JSON.parse(first.stdout)).toMatchObject({ problems: 0 });
    await restoredHas(before);
    await until(20);
    const later = new Map(acknowledged);
    const second = JSON.parse((await done(backup(folder, '-o', 'json'))).stdout) as {
      readonly blobs: { readonly count: number };
      readonly copied: { readonly blobs: number };
    };
    expect(second.copied.blobs).toBeLessThan(second.blobs.count);
    expect(second.copied.blobs).toBeGreaterThan(0);
    await restoredHas(later);
    // One database, however often.
    expect((await readdir(folder)).filter((name) => name.startsWith('database-'))).toHaveLength(1);
  });

  it('goes on after it was killed, and keeps the backup before whole until the new one is', async () => {
    const mine = join(work, 'killed');
    const environment = { BREAKWATER_DATA_DIR: dataDir };
    await done(server.cli(['backup', mine], { environment }));
    for (let at = 0; at < 6; at += 1) {
      await until(5);
      await server.cli(['backup', mine], { environment, timeout: 150 + at * 100 });
      await done(backup('verify', mine));
    }
    const before = new Map(acknowledged);
    await done(server.cli(['backup', mine, '--link', '--prune'], { environment }));
    await restoredHas(before, mine);
  });

  it('finds what was changed or lost, and restores nothing over a server', async () => {
    const damaged = join(work, 'damaged');
    await done(backup(damaged));
    const [first = '', second = ''] = await blobsOf(damaged);
    const content = await readFile(first);
    content[0] = (content[0] ?? 0) ^ 1;
    await chmod(first, 0o600);
    await writeFile(first, content);
    await rm(second);
    const verified = await backup('verify', damaged);
    expect(verified.code, verified.screen).toBe(1);
    expect(verified.stderr).toContain(`sha256:${first.split('/').at(-1)} is damaged`);
    expect(verified.stderr).toContain(`sha256:${second.split('/').at(-1)} is missing`);

    // The rest is brought back all the same, and the next backup heals.
    const target = join(work, 'partly');
    const restored = await server.cli(['backup', 'restore', damaged], { environment: { BREAKWATER_DATA_DIR: target } });
    expect(restored.code, restored.screen).toBe(1);
    expect(restored.stderr).toContain('not restored: sha256:');

    const database = join(damaged, (await readdir(damaged)).find((name) => name.startsWith('database-')) ?? '');
    const bytes = await readFile(database);
    bytes[bytes.length - 100] = (bytes[bytes.length - 100] ?? 0) ^ 1;
    await writeFile(database, bytes);
    const refused = await server.cli(['backup', 'restore', damaged], {
      environment: { BREAKWATER_DATA_DIR: join(work, 'never') },
    });
    expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining('was changed or is damaged')]);

    const over = await backup('restore', folder);
    expect([over.code, over.stderr]).toEqual([3, expect.stringContaining('another Breakwater uses')]);
    const foreign = join(work, 'partly');
    const into = await backup(foreign);
    expect([into.code, into.stderr]).toEqual([3, expect.stringContaining('give an empty folder')]);
  });

  /** Verifies the backup, restores it elsewhere, starts a server there and pulls everything. */
  async function restoredHas(images: ReadonlyMap<string, string>, from = folder): Promise<void> {
    const verified = await done(backup('verify', from, '-o', 'json'));
    expect((JSON.parse(verified.stdout) as { ledgerLines: number }).ledgerLines).toBeGreaterThan(0);
    const target = join(work, `restored-${images.size}`);
    await done(server.cli(['backup', 'restore', from], { environment: { BREAKWATER_DATA_DIR: target } }));
    expect((await stat(target)).mode & 0o777).toBe(0o700);
    const restored = await startBreakwater({ dataDir: target });
    // The password of an account and the key of tokens, both of the old server.
    const there = openWire({ url: restored.url, user: 'admin', password: server.password });
    for (const [tag, digest] of images) expect(await pullSmallImage(there, tag), tag).toBe(digest);
    expect(images.size).toBeGreaterThan(0);
    const shown = await done(restored.cli(['project', 'show', 'hub', '-o', 'json']));
    expect(shown.stdout).toContain('registry.invalid');
    await there.close();
    expect(await restored.stop()).toBe(0);
    // Nothing of what the first server holds may be touched by the second, not even by links.
    await rm(target, { recursive: true });
  }
});

async function blobsOf(backup: string): Promise<string[]> {
  const names = await readdir(join(backup, 'blobs/sha256'), { recursive: true, withFileTypes: true });
  return names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function done(outcome: Promise<Outcome>): Promise<Outcome> {
  const result = await outcome;
  expect(result.code, result.screen).toBe(0);
  return result;
}
