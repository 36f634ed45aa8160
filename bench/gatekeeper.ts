import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startCluster } from '../test/support/cluster.ts';
import {
  applied,
  type Gatekeeper,
  gatekeeperModule,
  prepareGatekeeper,
  startGatekeeperWith,
} from '../test/support/gatekeeper.ts';
import { run, until } from '../test/support/program.ts';
import { REVIEWED_NAMESPACE } from './review.ts';

const READY_MS = 60_000;

/**
 * Starts Gatekeeper beside an API server of its own, with the `K8sAllowedRepos` template of its own demonstration and one
 * constraint that warns. `untrusted.json` in the folder is a review it must warn about.
 */
export async function startGatekeeper(
  folder: string,
  repos: readonly string[],
): Promise<Pick<Gatekeeper, 'webhookUrl' | 'pid' | 'stop'>> {
  const cluster = await startCluster();
  let gatekeeper: Gatekeeper | undefined;
  async function stop(): Promise<void> {
    await gatekeeper?.stop();
    await cluster.stop();
  }
  try {
    await prepareGatekeeper(cluster, ['gk']);
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: REVIEWED_NAMESPACE } };
    await applied(cluster, JSON.stringify(namespace));
    const template = join(await gatekeeperModule(), 'demo/agilebank/templates/k8sallowedrepos_template.yaml');
    gatekeeper = await startGatekeeperWith(
      { cluster, folder, pod: 'gk', operations: ['webhook', 'status', 'generate'] },
      [await readFile(template, 'utf8')],
      ['K8sAllowedRepos'],
    );
    await applied(cluster, JSON.stringify(constraint(repos)));
    const { webhookUrl, pid, service } = gatekeeper;
    await until(() => warns(webhookUrl, folder), {
      limitMs: READY_MS,
      describe: () => 'Gatekeeper does not judge:',
      service,
      pauseMs: 300,
    });
    return { webhookUrl, pid, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function constraint(repos: readonly string[]): object {
  return {
    apiVersion: 'constraints.gatekeeper.sh/v1beta1',
    kind: 'K8sAllowedRepos',
    metadata: { name: 'require-harbor-repo' },
    spec: {
      enforcementAction: 'warn',
      match: { kinds: [{ apiGroups: [''], kinds: ['Pod'] }] },
      parameters: { repos },
    },
  };
}

/** True once an image from nowhere is warned about: before that the constraint is not read, and everything passes silently. */
async function warns(webhookUrl: string, folder: string): Promise<boolean> {
  const path = join(folder, 'untrusted.json');
  const outcome = await run('curl', ['-sk', '-H', 'Content-Type: application/json', '--data', `@${path}`, webhookUrl]);
  return outcome.stdout.includes('"warnings"');
}
