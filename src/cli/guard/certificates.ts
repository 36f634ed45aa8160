import { setTimeout as delay } from 'node:timers/promises';
import { Command } from 'commander';
import { beginRotation, type CertificateStatus, certificateStatus } from '../../guard/certificates-admin.ts';
import { clusterAccess } from '../../kubernetes/kubeconfig.ts';
import { createKubernetesClient, type KubernetesClient } from '../../kubernetes/kubernetes-client.ts';
import { systemClock, toRfc3339 } from '../../platform/clock.ts';
import type { Cli } from '../cli.ts';
import { CliError } from '../exit.ts';

interface Options {
  readonly kubeconfig?: string;
  readonly namespace?: string;
  readonly wait?: boolean;
}

const LOOK_EVERY_MS = 1000;

/** `breakwater guard certificates`. */
export function guardCertificatesCommand(cli: Cli): Command {
  const command = new Command('certificates').description('the certificates that all replicas of the guard share');
  withOptions(command.command('status'))
    .description('what is served, by whom, until when, and whether the API server trusts it')
    .action((options: Options) => withCluster(cli, options, (client, namespace) => show(cli, client, namespace)));
  withOptions(command.command('rotate'))
    .description('change authority and certificate without an interruption')
    .option('--wait', 'until the old authority is gone')
    .action((options: Options) =>
      withCluster(cli, options, async (client, namespace) => {
        const id = await beginRotation(client, namespace, systemClock);
        cli.print(`begun: certificate ${id}`);
        if (options.wait) await untilStable(cli, client, namespace);
      }),
    );
  return command;
}

function withOptions(command: Command): Command {
  return command
    .option('--kubeconfig <file>', 'the cluster (default: BREAKWATER_KUBECONFIG, or the one this pod runs in)')
    .option('--namespace <name>', 'of the guard (default: breakwater-system)');
}

async function withCluster(
  cli: Cli,
  options: Options,
  use: (client: KubernetesClient, namespace: string) => Promise<void>,
): Promise<void> {
  const config = await cli.config();
  const path = options.kubeconfig ?? config.kubeconfig;
  const client = createKubernetesClient(clusterAccess(path), systemClock);
  try {
    await use(client, options.namespace ?? config.guardNamespace);
  } finally {
    await client.close();
  }
}

async function show(cli: Cli, client: KubernetesClient, namespace: string): Promise<void> {
  cli.print(statusText(await existing(client, namespace)));
}

async function untilStable(cli: Cli, client: KubernetesClient, namespace: string): Promise<void> {
  let before = '';
  for (;;) {
    const { phase } = await existing(client, namespace);
    if (phase !== before) cli.note(phase);
    if (phase === 'stable') return;
    before = phase;
    await delay(LOOK_EVERY_MS);
  }
}

async function existing(client: KubernetesClient, namespace: string): Promise<CertificateStatus> {
  const status = await certificateStatus(client, namespace);
  if (status) return status;
  throw new CliError('failed', `no guard has made certificates in namespace ${namespace} yet`);
}

function statusText(status: CertificateStatus): string {
  const { phase, hosts, serving, next, replicas, configurations } = status;
  return [
    `phase: ${phase}`,
    `certificate: ${serving.id}, ends ${toRfc3339(serving.endsAt)}`,
    ...(next ? [`next certificate: ${next.id}, ends ${toRfc3339(next.endsAt)}`] : []),
    `hosts: ${hosts.join(', ')}`,
    ...replicas.map(({ id, serves, at }) => `replica ${id}: serves ${serves}, last heard of ${toRfc3339(at)}`),
    ...configurations.map(
      ({ path, trusted }) => `${path.split('/').at(-1)}: ${trusted ? 'trusts it' : 'does not trust it'}`,
    ),
  ].join('\n');
}
