import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { renderGuardManifests } from '../../src/admission/manifests.ts';
import type { TestCluster } from './cluster.ts';
import { applied } from './gatekeeper.ts';
import { type Service, startService, until } from './program.ts';

const READY_MS = 60_000;

/** The guard as a process of its own, beside a cluster. */
export interface GuardProcess {
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
  readonly namespace?: string;
}

/** Puts the guard's definitions into the cluster and starts the guard on a free port, without webhook configurations. */
export async function startGuard({ cluster, folder }: GuardOptions): Promise<GuardProcess> {
  await mkdir(folder, { recursive: true });
  await applied(cluster, definitions());
  const service = await startService(process.execPath, [
    join(import.meta.dirname, 'guard-webhook.ts'),
    cluster.kubeconfig,
    folder,
  ]);
  await until(() => service.output().includes('port '), {
    limitMs: READY_MS,
    describe: () => 'the guard does not start:',
    service,
  });
  const port = /port (\d+)/.exec(service.output())?.[1] ?? '';
  return {
    webhookUrl: `https://127.0.0.1:${port}/v1/admit`,
    pid: service.pid,
    service,
    stop: async () => void (await service.stop()),
  };
}

function definitions(): string {
  const objects = parseAllDocuments(
    renderGuardManifests({
      constraintName: 'unused',
      repos: [],
      enforcementAction: 'warn',
      webhook: { service: 'unused' },
      caBundle: 'unused',
      constraint: 'document',
    }),
  ).map((document) => document.toJS() as { kind: string });
  const items = objects.filter(({ kind }) => kind === 'CustomResourceDefinition');
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}
