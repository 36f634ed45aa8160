import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { renderGuardManifests } from '../../src/admission/manifests.ts';
import type { TestCluster } from './cluster.ts';
import { freePort } from './free-port.ts';
import { applied } from './gatekeeper.ts';
import { answers, type Service, startService, until } from './program.ts';

const PROGRAM = resolve(import.meta.dirname, '../../bin/breakwater.mjs');
const READY_MS = 120_000;
const NAMESPACE = 'breakwater-system';

/** The guard as a process of its own, beside a cluster. */
export interface GuardProcess {
  /** Where reviews go. */
  readonly webhookUrl: string;
  readonly pid: number;
  readonly service: Service;
  stop(): Promise<void>;
}

export interface GuardOptions {
  readonly cluster: TestCluster;
  /** Made when it does not exist. */
  readonly folder: string;
  /** With other rights than the administrator's. */
  readonly kubeconfig?: string;
  /** A free one unless told. */
  readonly port?: number;
  /** More settings, by their whole names. */
  readonly environment?: NodeJS.ProcessEnv;
}

/** Every object of `breakwater guard manifests` for a guard in the cluster, with its constraint as a document. */
export function guardObjects(): readonly { readonly kind: string }[] {
  return parseAllDocuments(
    renderGuardManifests({
      constraintName: 'unused',
      repos: [],
      enforcementAction: 'warn',
      webhook: { service: 'unused' },
      constraint: 'document',
      namespace: NAMESPACE,
    }),
  ).map((document) => document.toJS() as { kind: string });
}

/** Puts the guard's definitions and its namespace into the cluster, without webhook configurations or rights. */
export async function applyGuardDefinitions(cluster: TestCluster): Promise<void> {
  const items = guardObjects().filter(({ kind }) => kind === 'CustomResourceDefinition' || kind === 'Namespace');
  await applied(cluster, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
}

/** Starts the guard on a free port and waits until it is ready. */
export async function startGuard(options: GuardOptions): Promise<GuardProcess> {
  const { cluster, folder } = options;
  await mkdir(folder, { recursive: true });
  const [port, metrics] = [options.port ?? (await freePort()), await freePort()];
  const url = `https://127.0.0.1:${port}`;
  const environment = {
    BREAKWATER_KUBECONFIG: options.kubeconfig ?? cluster.kubeconfig,
    BREAKWATER_DATA_DIR: folder,
    BREAKWATER_WEBHOOK_LISTEN: `127.0.0.1:${port}`,
    BREAKWATER_WEBHOOK_URL: url,
    BREAKWATER_METRICS_LISTEN: `127.0.0.1:${metrics}`,
    BREAKWATER_GUARD_NAMESPACE: NAMESPACE,
    BREAKWATER_GUARD_REPLICA: 'guard-0',
    BREAKWATER_GUARD_DRAIN_SECONDS: '0',
    BREAKWATER_GUARD_HEARTBEAT_SECONDS: '1',
    BREAKWATER_GUARD_PROBE: 'false',
    BREAKWATER_AUDIT_INTERVAL_SECONDS: '5',
    BREAKWATER_LOG_LEVEL: 'warn',
    ...options.environment,
  };
  const service = await startService(process.execPath, [PROGRAM, 'guard', 'serve'], {
    environment,
  });
  try {
    await until(() => answers(`http://127.0.0.1:${metrics}/readyz`), {
      limitMs: READY_MS,
      describe: () => 'the guard does not become ready:',
      service,
    });
  } catch (error) {
    await service.stop();
    throw error;
  }
  return {
    webhookUrl: `${url}/v1/admit`,
    pid: service.pid,
    service,
    stop: async () => void (await service.stop()),
  };
}
