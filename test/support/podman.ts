import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requirePeer } from './peers.ts';
import { type Outcome, type RunOptions, run } from './program.ts';

/** A podman with a store of its own. */
export interface Podman {
  readonly podman: (args: readonly string[], options?: RunOptions) => Promise<Outcome>;
  readonly remove: () => Promise<void>;
}

/** Makes the store; `podman` then runs with it, without a policy of this machine. */
export async function openPodman(): Promise<Podman> {
  const program = requirePeer('podman');
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-podman-'));
  const policy = join(folder, 'policy.json');
  await writeFile(policy, JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }));
  await writeFile(join(folder, 'auth.json'), '{}');
  const store = [
    `--root=${join(folder, 'root')}`,
    `--runroot=${join(folder, 'run')}`,
    '--storage-driver=vfs',
    '--cgroup-manager=cgroupfs',
    '--events-backend=none',
  ];
  return {
    podman(args, options = {}) {
      const needsPolicy = ['push', 'pull', 'load'].includes(args[0] ?? '');
      const [command = '', ...rest] = args;
      const all = [...store, command, ...(needsPolicy ? [`--signature-policy=${policy}`] : []), ...rest];
      return run(program, all, {
        ...options,
        environment: { REGISTRY_AUTH_FILE: join(folder, 'auth.json'), ...options.environment },
      });
    },
    async remove() {
      await run(program, [...store, 'system', 'reset', '--force'], { timeout: 60_000 });
      await rm(folder, { recursive: true, force: true });
    },
  };
}
