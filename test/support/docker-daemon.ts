import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPeer, requirePeer } from './peers.ts';
import { type Outcome, type RunOptions, run, startService, until } from './program.ts';

/** A Docker daemon of our own beside whatever else runs here, without networks; its client's settings are its own too. */
export interface DockerDaemon {
  readonly docker: (args: readonly string[], options?: RunOptions) => Promise<Outcome>;
  stop(): Promise<void>;
}

/** Starts dockerd (as root); `registries` are `host:port` of registries without TLS. */
export async function startDockerDaemon(...registries: readonly string[]): Promise<DockerDaemon> {
  const program = requirePeer('dockerd');
  // Debian's client, when there is another one on the path.
  const client = findPeer('/usr/bin/docker') ?? requirePeer('docker');
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-docker-'));
  await writeFile(join(folder, 'daemon.json'), '{}');
  const socket = `unix://${join(folder, 'docker.sock')}`;
  const service = await startService(program, [
    '--storage-driver=vfs',
    '--iptables=false',
    '--bridge=none',
    `--data-root=${join(folder, 'data')}`,
    `--exec-root=${join(folder, 'exec')}`,
    `--pidfile=${join(folder, 'docker.pid')}`,
    `--host=${socket}`,
    ...registries.map((registry) => `--insecure-registry=${registry}`),
    `--config-file=${join(folder, 'daemon.json')}`,
  ]);
  const environment = { DOCKER_HOST: socket, DOCKER_CONFIG: join(folder, 'client'), DOCKER_CONTEXT: undefined };
  const docker = (args: readonly string[], options: RunOptions = {}) =>
    run(client, args, { ...options, environment: { ...environment, ...options.environment } });
  await until(async () => (await docker(['version'])).code === 0, {
    limitMs: 60_000,
    describe: () => 'the Docker daemon did not start:',
    service,
    pauseMs: 200,
  });
  return {
    docker,
    async stop() {
      await service.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
