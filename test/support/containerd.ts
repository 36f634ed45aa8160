import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requirePeer } from './peers.ts';
import { type Outcome, run, startService, until } from './program.ts';

/** A containerd of our own, spoken to with `ctr`. */
export interface Containerd {
  readonly ctr: (...args: readonly string[]) => Promise<Outcome>;
  stop(): Promise<void>;
}

/** Starts containerd (as root) with folders of its own. */
export async function startContainerd(): Promise<Containerd> {
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-containerd-'));
  const socket = join(folder, 'containerd.sock');
  const settings = [
    'version = 2',
    `root = "${join(folder, 'root')}"`,
    `state = "${join(folder, 'state')}"`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
    `[grpc]\n  address = "${socket}"`,
  ];
  await writeFile(join(folder, 'config.toml'), `${settings.join('\n')}\n`);
  const service = await startService(requirePeer('containerd'), ['--config', join(folder, 'config.toml')]);
  const ctr = (...args: readonly string[]) => run(requirePeer('ctr'), ['--address', socket, ...args]);
  await until(async () => (await ctr('version')).code === 0, {
    limitMs: 30_000,
    describe: () => 'containerd did not start:',
    service,
    pauseMs: 200,
  });
  return {
    ctr,
    async stop() {
      await service.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
