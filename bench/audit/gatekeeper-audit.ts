import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestCluster } from '../../test/support/cluster.ts';
import {
  gatekeeperModule,
  prepareGatekeeper,
  startGatekeeperProcess,
  startGatekeeperWith,
} from '../../test/support/gatekeeper.ts';
import { until } from '../../test/support/program.ts';

const POD = 'gk-audit';
const AUDIT_MS = 3_600_000;

export interface GatekeeperAudit {
  readonly seconds: number[];
  readonly peakMB: number;
}

/** Puts Gatekeeper's definitions and the `K8sAllowedRepos` template of its own demonstration into a cluster. */
export async function prepareGatekeeperAudit(cluster: TestCluster, folder: string): Promise<void> {
  await prepareGatekeeper(cluster, [POD]);
  const template = await readFile(
    join(await gatekeeperModule(), 'demo/agilebank/templates/k8sallowedrepos_template.yaml'),
    'utf8',
  );
  const started = await startGatekeeperWith(processOf(cluster, folder, []), [template], ['K8sAllowedRepos']);
  await started.stop();
}

/** Lets the real manager audit a few times; how long each took is what it says itself. */
export async function measureGatekeeperAudit(
  cluster: TestCluster,
  folder: string,
  rounds: number,
): Promise<GatekeeperAudit> {
  // It lists only kinds that constraints name: without that it lists everything there is.
  const flags = ['--audit-interval=1', '--audit-match-kind-only=true', '--log-level=INFO'];
  const gatekeeper = await startGatekeeperProcess(processOf(cluster, folder, flags));
  try {
    await until(() => durationsIn(gatekeeper.service.output()).length >= rounds, {
      limitMs: AUDIT_MS,
      describe: () => 'Gatekeeper did not finish its audits:',
      service: gatekeeper.service,
      pauseMs: 500,
    });
    const status = await readFile(`/proc/${gatekeeper.pid}/status`, 'utf8');
    const [, kilobytes = '0'] = /VmHWM:\s+(\d+) kB/.exec(status) ?? [];
    return { seconds: durationsIn(gatekeeper.service.output()).slice(0, rounds), peakMB: Number(kilobytes) / 1024 };
  } finally {
    await gatekeeper.stop();
  }
}

function processOf(cluster: TestCluster, folder: string, flags: readonly string[]) {
  return { cluster, folder, pod: POD, operations: ['audit', 'status', 'generate'], flags };
}

/**
 * `"event_type":"audit_finished",…,"duration":"1m2.5s"`. The first passes begin before it has read its constraint and look at
 * nothing: only those count that found something.
 */
function durationsIn(output: string): number[] {
  const seconds: number[] = [];
  let found = 0;
  for (const line of output.split('\n')) {
    if (line.includes('"audit_started"')) found = 0;
    const [, violations] = /"event_type":"constraint_audited".*"constraint_violations":"?(\d+)/.exec(line) ?? [];
    found += Number(violations ?? 0);
    const [, text] = /"event_type":"audit_finished".*"duration":"([^"]+)"/.exec(line) ?? [];
    if (text !== undefined && found > 0) seconds.push(secondsOf(text));
  }
  return seconds;
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 1e-3, µs: 1e-6, ns: 1e-9 };

/** Go's form of a duration, in seconds. */
function secondsOf(text: string): number {
  let seconds = 0;
  for (const [, amount, unit = ''] of text.matchAll(/([\d.]+)(h|ms|m|s|µs|ns)/g))
    seconds += Number(amount) * (UNIT_SECONDS[unit] ?? 0);
  return seconds;
}
