import { Command } from 'commander';
import { guardManifests } from '../../api/contract/operations.ts';
import { NO_FACTS } from '../../constraints/image-facts.ts';
import { readManifests } from '../../constraints/lint/documents.ts';
import type { KubernetesClient } from '../../kubernetes/kubernetes-client.ts';
import { systemClock } from '../../platform/clock.ts';
import { counted } from '../../platform/counted.ts';
import { silentLogger } from '../../platform/logger.ts';
import { oneLine } from '../../platform/one-line.ts';
import type { PreflightCheck } from '../../preflight/check.ts';
import { type PreflightReport, preflight } from '../../preflight/preflight.ts';
import type { GatekeeperObjects } from '../../preflight/takeover.ts';
import type { Cli } from '../cli.ts';
import { withServer } from '../client.ts';
import { CliError, EXIT } from '../exit.ts';
import { type OutputOptions, printAs, table, withOutput } from '../output.ts';
import { GATEKEEPER_COLLECTIONS, readClusterConstraints, readCollection } from './cluster-constraints.ts';
import { type ClusterOptions, withCluster, withKubernetes } from './cluster-option.ts';
import { readManifestFiles } from './manifest-files.ts';
import { sortObjects } from './sorted-objects.ts';

interface PreflightOptions extends ClusterOptions, OutputOptions {
  readonly trusted?: boolean;
  readonly serviceAccount?: string;
}

/** `breakwater guard preflight`: what would be denied today, and whether a guard would work at all. */
export function preflightCommand(cli: Cli): Command {
  const command = new Command('preflight')
    .description('read-only: what would be denied today, and whether a guard would work in this cluster')
    .argument('[files...]', 'constraints to try, "-" for standard input; without any those of the cluster')
    .option('--trusted', 'try the constraint that the trusted sources of the server make')
    .option('--service-account <namespace/name>', 'check the rights of this account instead of your own');
  return withOutput(withCluster(command))
    .addHelpText(
      'after',
      `
Every violation is what the first audit of a guard lists, found by the same code; verdicts of the registry are not asked.
Nothing is written to the cluster.

Exit codes: 0 nothing would be denied and no problem; 1 something would be denied, or there is a problem; 2 wrong usage; 3 anything else.

Examples:
  breakwater guard preflight --kubeconfig ~/.kube/config
  breakwater guard preflight constraint.yaml --service-account breakwater-system/breakwater-guard -o json`,
    )
    .action((files: readonly string[], options: PreflightOptions) => run(cli, files, options));
}

async function run(cli: Cli, files: readonly string[], options: PreflightOptions): Promise<void> {
  const { serviceAccount, trusted } = options;
  if (files.length > 0 && trusted) throw new CliError('usage', 'name files or --trusted, not both');
  if (serviceAccount !== undefined && !/^[^/]+\/[^/]+$/.test(serviceAccount)) {
    throw new CliError('usage', `--service-account ${serviceAccount}: write NAMESPACE/NAME`);
  }
  const given =
    files.length > 0
      ? sortObjects((await readManifestFiles(cli, files)).map(({ object }) => object))
      : trusted
        ? sortObjects(await trustedConstraint(cli))
        : undefined;
  const report = await withKubernetes(cli, options, async (client) => {
    const deps = {
      client,
      clock: systemClock,
      logger: silentLogger,
      facts: { factsAbout: async () => NO_FACTS },
    };
    return preflight(deps, await clusterObjects(client, given), serviceAccount);
  });
  printAs(cli, options, report, () => reportText(report));
  const bad = report.checks.some(({ status }) => status === 'problem') || report.incomplete.length > 0;
  if (bad || report.wouldDeny.length > 0) cli.exitWith(EXIT.negative);
}

/** Files and trusted sources bring constraints; what surrounds them is the cluster's unless they bring it too. */
async function clusterObjects(
  client: KubernetesClient,
  given: GatekeeperObjects | undefined,
): Promise<Omit<GatekeeperObjects, 'templates'>> {
  const { configs, expansions } = GATEKEEPER_COLLECTIONS;
  return {
    constraints: given?.constraints ?? (await readClusterConstraints(client)),
    configs: given?.configs.length ? given.configs : await readCollection(client, configs),
    expansions: given?.expansions.length ? given.expansions : await readCollection(client, expansions),
  };
}

/** The constraint as the server's manifests would bring it into the cluster. */
async function trustedConstraint(cli: Cli): Promise<unknown[]> {
  const query = { enforcement: 'deny', document: 'true' } as const;
  const text = await withServer(cli, (api) => api.call(guardManifests, { query }));
  return readManifests(text).objects.map(({ object }) => object);
}

const MARKS: Readonly<Record<PreflightCheck['status'], string>> = { ok: 'ok', warning: 'warning', problem: 'PROBLEM' };

function reportText({ checks, wouldDeny, objects, constraints, incomplete }: PreflightReport): string {
  const lines = checks.flatMap(({ status, summary, details }) => [
    `${MARKS[status]}: ${oneLine(summary)}`,
    ...details.map((one) => `    ${oneLine(one)}`),
  ]);
  if (constraints.length === 0) lines.push('', 'There is no constraint to try.');
  else {
    const rows = wouldDeny.map(({ constraint, namespace, kind, name, message }) => [
      constraint,
      namespace,
      `${kind}/${name}`,
      message,
    ]);
    const found = counted(wouldDeny.length, 'violation');
    lines.push(
      '',
      `${found} of ${constraints.join(', ')} in ${counted(objects, 'object')}; enforced, these would be denied:`,
    );
    if (rows.length > 0) lines.push(table(['constraint', 'namespace', 'object', 'message'], rows));
  }
  for (const { kind, reason } of incomplete) lines.push(`not judged: ${kind}: ${oneLine(reason)}`);
  return lines.join('\n');
}
