import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestCluster } from './cluster.ts';
import { freePort } from './free-port.ts';
import { requirePeer } from './peers.ts';
import { startService } from './program.ts';

export interface Controllers {
  output(): string;
  stop(): Promise<void>;
}

/** The real kube-controller-manager beside a cluster, with these controllers and no others. */
export async function startControllers(
  cluster: Pick<TestCluster, 'kubeconfig'>,
  controllers: readonly string[],
): Promise<Controllers> {
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-controllers-'));
  const service = await startService(requirePeer('kube-controller-manager'), [
    `--kubeconfig=${cluster.kubeconfig}`,
    `--controllers=${controllers.join(',')}`,
    '--leader-elect=false',
    '--bind-address=127.0.0.1',
    `--secure-port=${await freePort()}`,
    `--cert-dir=${folder}`,
  ]);
  return {
    output: () => service.output(),
    async stop() {
      await service.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
