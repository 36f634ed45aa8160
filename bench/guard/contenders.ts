import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startCluster, type TestCluster } from '../../test/support/cluster.ts';
import { applied, gatekeeperModule, prepareGatekeeper, startGatekeeperWith } from '../../test/support/gatekeeper.ts';
import { applyGuardDefinitions, startGuard } from '../../test/support/guard.ts';
import { type Service, startService, until } from '../../test/support/program.ts';
import { REVIEWED_NAMESPACE } from '../review.ts';
import { TRUSTED_REPO } from './reviews.ts';

const READY_MS = 60_000;

/** A webhook under measurement. */
export interface Contender {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  /** Where its constraints are; absent for the one that has none. */
  readonly cluster?: TestCluster;
  stop(): Promise<void>;
}

export async function startOurs(folder: string): Promise<Contender> {
  const cluster = await startCluster();
  try {
    await applied(cluster, namespace());
    await applyGuardDefinitions(cluster);
    const guard = await startGuard({ cluster, folder: join(folder, 'ours') });
    return {
      name: 'Breakwater',
      url: guard.webhookUrl,
      pid: guard.pid,
      cluster,
      async stop() {
        await guard.stop();
        await cluster.stop();
      },
    };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

export async function startTheirs(folder: string): Promise<Contender> {
  const cluster = await startCluster();
  try {
    await applied(cluster, namespace());
    await prepareGatekeeper(cluster, ['gk']);
    const template = join(await gatekeeperModule(), 'demo/agilebank/templates/k8sallowedrepos_template.yaml');
    const gatekeeper = await startGatekeeperWith(
      { cluster, folder, pod: 'gk', operations: ['webhook', 'status', 'generate'] },
      [await readFile(template, 'utf8')],
      ['K8sAllowedRepos'],
    );
    return {
      name: 'Gatekeeper',
      url: gatekeeper.webhookUrl,
      pid: gatekeeper.pid,
      cluster,
      async stop() {
        await gatekeeper.stop();
        await cluster.stop();
      },
    };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

export async function startBareNode(folder: string): Promise<Contender> {
  const service: Service = await startService(process.execPath, [
    join(import.meta.dirname, 'bare-node.ts'),
    folder,
    TRUSTED_REPO,
  ]);
  await until(() => service.output().includes('port '), {
    limitMs: READY_MS,
    describe: () => 'the bare server does not start:',
    service,
  });
  const port = /port (\d+)/.exec(service.output())?.[1] ?? '';
  return {
    name: 'bare Node',
    url: `https://127.0.0.1:${port}/v1/admit`,
    pid: service.pid,
    stop: async () => void (await service.stop()),
  };
}

function namespace(): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: REVIEWED_NAMESPACE } });
}
