import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent, get } from 'node:https';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './free-port.ts';

const bin = join(process.env['PEERS_DIR'] ?? join(homedir(), '.cache/breakwater-peers'), 'bin');
const NEEDED = ['etcd', 'kube-apiserver', 'kubectl'];
const READY_MS = 60_000;

/** A real API server with its etcd on free loopback ports. No nodes: pods stay pending. */
export interface TestCluster {
  readonly server: string;
  readonly kubeconfig: string;
  /** Runs kubectl as cluster administrator. Never throws for a non-zero exit. */
  kubectl(args: readonly string[], input?: string): Promise<{ code: number; stdout: string; stderr: string }>;
  /** What the API server has logged; empty for a cluster that somebody else started. */
  log(): Promise<string>;
  stop(): Promise<void>;
}

/** True when whoever started the tests said to leave the Kubernetes parts out. */
export function leavesOutKubernetes(): boolean {
  return (process.env['BREAKWATER_LEAVE_OUT'] ?? '').split(',').includes('kubernetes');
}

/** Starts etcd and kube-apiserver with folders of their own. Throws when a program is missing, naming what to do. */
export async function startCluster(): Promise<TestCluster> {
  const missing = NEEDED.filter((name) => !existsSync(join(bin, name)));
  if (missing.length > 0) {
    throw new Error(
      `${missing.join(', ')} not found in ${bin}: run dev/peers kubernetes etcd, ` +
        'or leave these tests out with BREAKWATER_LEAVE_OUT=kubernetes',
    );
  }
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-cluster-'));
  const [etcdPort, peerPort, apiPort] = await Promise.all([freePort(), freePort(), freePort()]);
  const token = randomUUID();
  await writeFile(join(folder, 'tokens.csv'), `${token},admin,1,"system:masters"\n`);
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  await writeFile(join(folder, 'sa.key'), keys.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await writeFile(join(folder, 'sa.pub'), keys.publicKey.export({ type: 'spki', format: 'pem' }));
  await mkdir(join(folder, 'certs'));

  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  const etcd = startProgram(folder, 'etcd', [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${etcdUrl}`,
    `--advertise-client-urls=${etcdUrl}`,
    `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
    `--initial-advertise-peer-urls=http://127.0.0.1:${peerPort}`,
    `--initial-cluster=default=http://127.0.0.1:${peerPort}`,
    '--unsafe-no-fsync',
  ]);
  const apiserver = startProgram(folder, 'kube-apiserver', [
    `--etcd-servers=${etcdUrl}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${apiPort}`,
    '--advertise-address=127.0.0.1',
    '--endpoint-reconciler-type=none',
    '--service-cluster-ip-range=10.96.0.0/24',
    '--service-account-issuer=https://kubernetes.test',
    `--service-account-key-file=${join(folder, 'sa.pub')}`,
    `--service-account-signing-key-file=${join(folder, 'sa.key')}`,
    `--cert-dir=${join(folder, 'certs')}`,
    `--token-auth-file=${join(folder, 'tokens.csv')}`,
    '--authorization-mode=RBAC',
    '--disable-admission-plugins=ServiceAccount',
  ]);
  const server = `https://127.0.0.1:${apiPort}`;
  const kubeconfig = join(folder, 'kubeconfig');

  async function stop(): Promise<void> {
    for (const program of [apiserver, etcd]) await stopProgram(program);
    await rm(folder, { recursive: true, force: true });
  }
  try {
    await untilReady(server, folder, apiserver);
    await writeFile(kubeconfig, await kubeconfigText(server, folder, token), { mode: 0o600 });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    server,
    kubeconfig,
    kubectl: (args, input) =>
      runKubectl(['--kubeconfig', kubeconfig, '--cache-dir', join(folder, 'kube-cache'), ...args], input),
    log: () => readFile(join(folder, 'kube-apiserver.log'), 'utf8'),
    stop,
  };
}

/** A cluster that somebody else started and stops, by its kubeconfig. */
export function attachCluster(kubeconfig: string): TestCluster {
  const { clusters } = JSON.parse(readFileSync(kubeconfig, 'utf8')) as { clusters: { cluster: { server: string } }[] };
  return {
    server: clusters[0]?.cluster.server ?? '',
    kubeconfig,
    kubectl: (args, input) => runKubectl(['--kubeconfig', kubeconfig, ...args], input),
    log: async () => '',
    stop: async () => undefined,
  };
}

function startProgram(folder: string, name: string, args: readonly string[]): ChildProcess {
  const log = openSync(join(folder, `${name}.log`), 'a');
  const program = spawn(join(bin, name), args, { stdio: ['ignore', log, log] });
  closeSync(log);
  return program;
}

async function stopProgram(program: ChildProcess): Promise<void> {
  if (program.exitCode !== null || program.signalCode !== null) return;
  const ended = new Promise((resolve) => program.once('exit', resolve));
  program.kill('SIGTERM');
  const late = setTimeout(() => program.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(late);
}

async function untilReady(server: string, folder: string, apiserver: ChildProcess): Promise<void> {
  const agent = new Agent({ rejectUnauthorized: false });
  const end = performance.now() + READY_MS;
  while (performance.now() < end && apiserver.exitCode === null) {
    const ready = await new Promise<boolean>((resolve) => {
      get(`${server}/readyz`, { agent }, (reply) => {
        reply.resume();
        resolve(reply.statusCode === 200);
      }).on('error', () => resolve(false));
    });
    if (ready) return;
    await delay(200);
  }
  const log = await readFile(join(folder, 'kube-apiserver.log'), 'utf8').catch(() => '');
  throw new Error(`kube-apiserver did not become ready:\n${log.slice(-2000)}`);
}

async function kubeconfigText(server: string, folder: string, token: string): Promise<string> {
  const ca = await readFile(join(folder, 'certs/apiserver.crt'));
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': ca.toString('base64') } }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
  });
}

function runKubectl(args: readonly string[], input = ''): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(join(bin, 'kubectl'), args, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ code, stdout, stderr });
    });
    child.stdin?.end(input);
  });
}
