import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { openCertificates } from '../src/admission/certificates.ts';
import { systemClock } from '../src/platform/clock.ts';
import { startCluster, type TestCluster } from '../test/support/cluster.ts';
import { freePort } from '../test/support/free-port.ts';
import { requirePeer } from '../test/support/peers.ts';
import { run, type Service, startService, until } from '../test/support/program.ts';
import { pod } from '../test/support/workloads.ts';
import { REVIEWED_NAMESPACE } from './review.ts';

const MODULE = 'github.com/open-policy-agent/gatekeeper/v3@v3.23.1';
const SYSTEM = 'gatekeeper-system';
const READY_MS = 60_000;

/** The real Gatekeeper beside an API server of its own. */
export interface Gatekeeper {
  readonly webhookUrl: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/**
 * Starts Gatekeeper with the `K8sAllowedRepos` template of its own demonstration and one constraint that warns. Follows what
 * its deployment would do: definitions, namespace, a pod it takes itself for.
 */
export async function startGatekeeper(folder: string, repos: readonly string[]): Promise<Gatekeeper> {
  const program = requirePeer('gatekeeper');
  const cluster = await startCluster();
  let service: Service | undefined;
  try {
    const module = await moduleFolder();
    await apply(cluster, await definitions(module), ['--server-side']);
    await apply(cluster, pod('gk', 'manager', 'gatekeeper', SYSTEM));
    const environment = {
      KUBECONFIG: cluster.kubeconfig,
      POD_NAME: 'gk',
      POD_NAMESPACE: SYSTEM,
      NAMESPACE: SYSTEM,
      CONTAINER_NAME: 'manager',
    };
    const port = await freePort();
    const args = await argumentsOf(folder, port);
    const webhookUrl = `https://127.0.0.1:${port}/v1/admit`;
    service = await startService(program, args, { environment });
    const template = await readFile(join(module, 'demo/agilebank/templates/k8sallowedrepos_template.yaml'), 'utf8');
    await apply(cluster, template);
    await until(
      async () => (await cluster.kubectl(['get', 'crd', 'k8sallowedrepos.constraints.gatekeeper.sh'])).code === 0,
      {
        limitMs: READY_MS,
        describe: () => 'Gatekeeper did not make its constraint definition:',
        service,
        pauseMs: 300,
      },
    );
    // A constraint is read only by a manager that finds its definition when it starts.
    await service.stop();
    service = await startService(program, args, { environment });
    await apply(cluster, JSON.stringify(constraint(repos)));
    const started = service;
    await until(() => warns(webhookUrl, folder), {
      limitMs: READY_MS,
      describe: () => 'Gatekeeper does not judge:',
      service: started,
      pauseMs: 300,
    });
    return {
      webhookUrl,
      pid: started.pid,
      async stop() {
        await started.stop();
        await cluster.stop();
      },
    };
  } catch (error) {
    await service?.stop();
    await cluster.stop();
    throw error;
  }
}

async function moduleFolder(): Promise<string> {
  const outcome = await run('go', ['mod', 'download', '-json', MODULE], { folder: '/', timeout: 600_000 });
  if (outcome.code !== 0) throw new Error(`${MODULE} cannot be had:\n${outcome.screen}`);
  return (JSON.parse(outcome.stdout) as { Dir: string }).Dir;
}

/** Of the deployment only the definitions and the namespace, without its label that forbids a pod like ours. */
async function definitions(module: string): Promise<string> {
  const text = await readFile(join(module, 'deploy/gatekeeper.yaml'), 'utf8');
  const documents = parseAllDocuments(text).map((document) => document.toJS() as { kind?: string });
  const kept: object[] = documents.filter(({ kind }) => kind === 'CustomResourceDefinition');
  for (const name of [SYSTEM, REVIEWED_NAMESPACE])
    kept.unshift({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items: kept });
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

async function argumentsOf(folder: string, port: number): Promise<string[]> {
  const certificates = join(folder, 'gatekeeper-certificates');
  await mkdir(certificates, { recursive: true });
  const hosts = ['127.0.0.1'];
  const opened = await openCertificates({ folder: join(folder, 'gatekeeper-authority'), hosts, clock: systemClock });
  await writeFile(join(certificates, 'tls.crt'), opened.tls().cert);
  await writeFile(join(certificates, 'tls.key'), opened.tls().key);
  await writeFile(join(certificates, 'ca.crt'), opened.caBundle);
  return [
    `--port=${port}`,
    `--health-addr=:${await freePort()}`,
    `--prometheus-port=${await freePort()}`,
    '--operation=webhook',
    '--operation=status',
    '--operation=generate',
    '--disable-cert-rotation',
    `--cert-dir=${certificates}`,
    '--client-ca-name=',
    `--exempt-namespace=${SYSTEM}`,
    '--log-level=ERROR',
  ];
}

async function apply(cluster: TestCluster, text: string, flags: readonly string[] = []): Promise<void> {
  const outcome = await cluster.kubectl(['apply', ...flags, '-f', '-'], text);
  if (outcome.code !== 0) throw new Error(`kubectl apply:\n${outcome.stderr}`);
}

/** True once an image from nowhere is warned about: before that the constraint is not read, and everything passes silently. */
async function warns(webhookUrl: string, folder: string): Promise<boolean> {
  const path = join(folder, 'untrusted.json');
  const outcome = await run('curl', ['-sk', '-H', 'Content-Type: application/json', '--data', `@${path}`, webhookUrl]);
  return outcome.stdout.includes('"warnings"');
}
