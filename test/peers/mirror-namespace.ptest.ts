import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BreakwaterServer, startBreakwater } from '../support/breakwater.ts';
import { type Containerd, startContainerd } from '../support/containerd.ts';
import { writeOciLayout } from '../support/oci-layout.ts';
import { isLeftOut, requirePeer } from '../support/peers.ts';
import { type Outcome, run } from '../support/program.ts';
import { type DistributionServer, startDistribution } from '../support/registry-distribution.ts';

/** One file for containerd says that we stand for every registry; it names the one it means with `ns`. */
describe.skipIf(isLeftOut('containerd'))('containerd with Breakwater as the mirror of all registries', () => {
  let folder: string;
  let digest: string;
  let upstream: DistributionServer;
  let server: BreakwaterServer;
  let containerd: Containerd;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'breakwater-namespace-'));
    await mkdir(join(folder, 'root'));
    await writeFile(join(folder, 'root/file.bin'), randomBytes(100_000));
    const layer = join(folder, 'layer.tar.gz');
    done(await run('tar', ['-czf', layer, '-C', join(folder, 'root'), '.']));
    digest = writeOciLayout(join(folder, 'layout'), { layers: [layer], name: 'sample' });
    upstream = await startDistribution();
    done(
      await run(requirePeer('crane'), ['--insecure', 'push', join(folder, 'layout'), `${upstream.host}/team/app:1`]),
    );
    server = await startBreakwater();
    done(await server.cli(['project', 'create', 'hub', '--upstream', upstream.url]));
    await mkdir(join(folder, 'hosts/_default'), { recursive: true });
    await writeFile(
      join(folder, 'hosts/_default/hosts.toml'),
      `[host."${server.url}"]\n  capabilities = ["pull", "resolve"]\n`,
    );
    containerd = await startContainerd();
  });
  afterAll(async () => {
    await containerd?.stop();
    await server?.stop();
    await upstream?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('pulls an image by its own name through us, also when its registry is away', async () => {
    const name = `${upstream.host}/team/app:1`;
    const hosts = ['--hosts-dir', join(folder, 'hosts')];
    const login = ['--user', `admin:${server.password}`];
    const pull = () => containerd.ctr('images', 'pull', ...hosts, '--snapshotter=native', ...login, name);
    done(await pull());
    expect(done(await containerd.ctr('images', 'ls')).stdout).toContain(digest);
    done(await containerd.ctr('images', 'rm', '--sync', name));
    await upstream.kill();
    done(await pull());
    expect(done(await containerd.ctr('images', 'ls')).stdout).toContain(digest);
  });
});

function done(outcome: Outcome): Outcome {
  expect(outcome.code, outcome.screen).toBe(0);
  return outcome;
}
