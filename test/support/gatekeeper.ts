import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { openCertificates } from '../../src/admission/certificates.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { TestCluster } from './cluster.ts';
import { freePort } from './free-port.ts';
import { requirePeer } from './peers.ts';
import { answers, run, type Service, startService, until } from './program.ts';
import { pod } from './workloads.ts';

const MODULE = 'github.com/open-policy-agent/gatekeeper/v3@v3.23.1';
/** Namespace in which Gatekeeper keeps what is its own. */
export const GATEKEEPER_SYSTEM = 'gatekeeper-system';
const READY_MS = 120_000;

/** One process of Gatekeeper, taking itself for a pod. */
export interface Gatekeeper {
  /** Where reviews go; answers only with the operation `webhook`. */
  readonly webhookUrl: string;
  readonly pid: number;
  readonly service: Service;
  stop(): Promise<void>;
}

export interface GatekeeperProcess {
  readonly cluster: TestCluster;
  /** Gets the certificates; one for each process. */
  readonly folder: string;
  /** Name of the pod it takes itself for, as its status entries say. */
  readonly pod: string;
  readonly operations: readonly string[];
  readonly flags?: readonly string[];
}

/** Where the sources of Gatekeeper lie on this machine. Throws when the module cannot be had. */
export async function gatekeeperModule(): Promise<string> {
  const outcome = await run('go', ['mod', 'download', '-json', MODULE], { folder: '/', timeout: 600_000 });
  if (outcome.code !== 0) throw new Error(`${MODULE} cannot be had:\n${outcome.screen}`);
  return (JSON.parse(outcome.stdout) as { Dir: string }).Dir;
}

/** A checkout of gatekeeper-library, from `GATEKEEPER_LIBRARY` or the folder of the peers. Throws when there is none. */
export function gatekeeperLibrary(): string {
  const peers = process.env['PEERS_DIR'] ?? join(homedir(), '.cache/breakwater-peers');
  const folder = process.env['GATEKEEPER_LIBRARY'] ?? join(peers, 'gatekeeper-library');
  if (!existsSync(join(folder, 'library/general')))
    throw new Error(
      `${folder} is no checkout of gatekeeper-library: ` +
        'git clone https://github.com/open-policy-agent/gatekeeper-library, and set GATEKEEPER_LIBRARY to that folder',
    );
  return folder;
}

/** Puts only Gatekeeper's own definitions of these names and its namespace into a cluster, as they are after a migration. */
export async function applyGatekeeperDefinitions(cluster: TestCluster, names?: readonly string[]): Promise<void> {
  const text = await readFile(join(await gatekeeperModule(), 'deploy/gatekeeper.yaml'), 'utf8');
  const documents = parseAllDocuments(text).map(
    (document) => document.toJS() as { kind?: string; metadata?: { name?: string } },
  );
  const kept: object[] = documents.filter(
    ({ kind, metadata }) => kind === 'CustomResourceDefinition' && (names?.includes(metadata?.name ?? '') ?? true),
  );
  // Without the label that forbids pods like ours.
  kept.unshift({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: GATEKEEPER_SYSTEM } });
  await applied(cluster, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: kept }), ['--server-side']);
}

/** Puts Gatekeeper's definitions, its namespace and the pods its processes take themselves for into a cluster. */
export async function prepareGatekeeper(cluster: TestCluster, pods: readonly string[]): Promise<void> {
  await applyGatekeeperDefinitions(cluster);
  await applyGatekeeperPods(cluster, pods);
}

/** The pods Gatekeeper takes itself for; its audit finds them, so that whoever is compared with it needs them too. */
export async function applyGatekeeperPods(cluster: TestCluster, pods: readonly string[]): Promise<void> {
  for (const name of pods) await applied(cluster, pod(name, 'manager', 'gatekeeper', GATEKEEPER_SYSTEM));
}

/** Applies documents; throws with what kubectl said. */
export async function applied(cluster: TestCluster, text: string, flags: readonly string[] = []): Promise<void> {
  const outcome = await cluster.kubectl(['apply', ...flags, '-f', '-'], text);
  if (outcome.code !== 0) throw new Error(`kubectl apply:\n${outcome.stderr}`);
}

/**
 * Applies templates and waits for the definitions Gatekeeper makes of them, then starts it anew: a constraint is read only by a
 * process that finds its definition when it starts.
 */
export async function startGatekeeperWith(
  process: GatekeeperProcess,
  templates: readonly string[],
  kinds: readonly string[],
): Promise<Gatekeeper> {
  const first = await startGatekeeperProcess(process);
  try {
    for (const template of templates) await applied(process.cluster, template);
    for (const kind of kinds) {
      const definition = `${kind.toLowerCase()}.constraints.gatekeeper.sh`;
      await until(async () => (await process.cluster.kubectl(['get', 'crd', definition])).code === 0, {
        limitMs: READY_MS,
        describe: () => `Gatekeeper did not make the definition of ${kind}:`,
        service: first.service,
        pauseMs: 300,
      });
    }
  } finally {
    await first.stop();
  }
  return startGatekeeperProcess(process);
}

/** Starts a process and waits until it says that it is ready. */
export async function startGatekeeperProcess(options: GatekeeperProcess): Promise<Gatekeeper> {
  const certificates = await certificateFolder(options.folder);
  const [port, health, metrics] = await Promise.all([freePort(), freePort(), freePort()]);
  // The audit empties this folder first, and does nothing when it is not there.
  const pages = join(options.folder, 'audit');
  await mkdir(pages, { recursive: true });
  const service = await startService(
    requirePeer('gatekeeper'),
    [
      `--port=${port}`,
      `--health-addr=127.0.0.1:${health}`,
      `--prometheus-port=${metrics}`,
      ...options.operations.map((operation) => `--operation=${operation}`),
      '--disable-cert-rotation',
      `--cert-dir=${certificates}`,
      '--client-ca-name=',
      `--exempt-namespace=${GATEKEEPER_SYSTEM}`,
      `--api-cache-dir=${pages}`,
      '--log-level=ERROR',
      ...(options.flags ?? []),
    ],
    {
      environment: {
        KUBECONFIG: options.cluster.kubeconfig,
        POD_NAME: options.pod,
        POD_NAMESPACE: GATEKEEPER_SYSTEM,
        NAMESPACE: GATEKEEPER_SYSTEM,
        CONTAINER_NAME: 'manager',
      },
    },
  );
  try {
    await until(() => answers(`http://127.0.0.1:${health}/readyz`), {
      limitMs: READY_MS,
      describe: () => 'Gatekeeper does not become ready:',
      service,
      pauseMs: 300,
    });
  } catch (error) {
    await service.stop();
    throw error;
  }
  return {
    webhookUrl: `https://127.0.0.1:${port}/v1/admit`,
    pid: service.pid,
    service,
    stop: async () => void (await service.stop()),
  };
}

async function certificateFolder(folder: string): Promise<string> {
  const certificates = join(folder, 'gatekeeper-certificates');
  if (existsSync(certificates)) return certificates;
  await mkdir(certificates, { recursive: true });
  const opened = await openCertificates({
    folder: join(folder, 'gatekeeper-authority'),
    hosts: ['127.0.0.1'],
    clock: systemClock,
  });
  await writeFile(join(certificates, 'tls.crt'), opened.tls().cert);
  await writeFile(join(certificates, 'tls.key'), opened.tls().key);
  await writeFile(join(certificates, 'ca.crt'), opened.caBundle);
  return certificates;
}
