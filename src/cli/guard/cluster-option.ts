import type { Command } from 'commander';
import { usualKubeconfig } from '../../folders.ts';
import { loadKubeconfig } from '../../kubernetes/kubeconfig.ts';
import { createKubernetesClient, type KubernetesClient } from '../../kubernetes/kubernetes-client.ts';
import { systemClock } from '../../platform/clock.ts';
import type { Cli } from '../cli.ts';
import { CliError } from '../exit.ts';

export interface ClusterOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** Adds `--kubeconfig` and `--context`. */
export function withCluster(command: Command): Command {
  return command
    .option('--kubeconfig <file>', 'the cluster to ask (default: BREAKWATER_KUBECONFIG, KUBECONFIG, ~/.kube/config)')
    .option('--context <name>', 'context of the kubeconfig');
}

/** True when the command line names a cluster. */
export function namesCluster({ kubeconfig, context }: ClusterOptions): boolean {
  return kubeconfig !== undefined || context !== undefined;
}

/** Gives a client for the cluster that was named, and closes it afterwards. */
export async function withKubernetes<Result>(
  cli: Cli,
  options: ClusterOptions,
  use: (client: KubernetesClient) => Promise<Result>,
): Promise<Result> {
  const path = options.kubeconfig ?? (await cli.config()).kubeconfig ?? usualKubeconfig();
  if (path === undefined) {
    throw new CliError(
      'usage',
      'no cluster is named: give --kubeconfig, set BREAKWATER_KUBECONFIG or KUBECONFIG, or have ~/.kube/config',
    );
  }
  const client = createKubernetesClient(loadKubeconfig(path, options.context), systemClock);
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}
