import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { TestCluster } from '../support/cluster.ts';
import { freePort } from '../support/free-port.ts';

const PROGRAM = join(import.meta.dirname, '../../bin/breakwater.mjs');
const READY_MS = 120_000;

/** A guard as a process of its own, with the rights that the manifests give it and no more. */
export interface GuardProcess {
  readonly name: string;
  readonly webhookPort: number;
  /** Starts it and waits until it is ready; gives how long that took, ms. */
  start(): Promise<number>;
  /** Ends it at once, as a lost node does. */
  kill(): Promise<void>;
  /** Asks it to end, as the kubelet does; gives its exit code. */
  terminate(): Promise<number | null>;
  readonly pid: () => number | undefined;
  log(): Promise<string>;
  metric(name: string): Promise<number | undefined>;
  ready(): Promise<{ code: number; body: string }>;
}

/** Makes a guard, not started yet. The service account of the manifests must exist. */
export async function makeGuard(
  cluster: TestCluster,
  name: string,
  folder: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<GuardProcess> {
  const [webhookPort, healthPort] = [await freePort(), await freePort()];
  const home = join(folder, name);
  await mkdir(home, { recursive: true });
  const kubeconfig = join(home, 'kubeconfig');
  await writeFile(kubeconfig, await serviceAccountConfig(cluster), { mode: 0o600 });
  const logFile = join(home, 'log');
  let program: ChildProcess | undefined;

  async function ready(): Promise<{ code: number; body: string }> {
    const reply = await fetch(`http://127.0.0.1:${healthPort}/readyz`).catch(() => undefined);
    return reply ? { code: reply.status, body: await reply.text() } : { code: 0, body: '' };
  }
  async function ended(signal: NodeJS.Signals): Promise<number | null> {
    if (!program || program.exitCode !== null || program.signalCode !== null) return program?.exitCode ?? null;
    const child = program;
    const code = new Promise<number | null>((resolve) => {
      child.once('exit', resolve);
    });
    child.kill(signal);
    return code;
  }

  return {
    name,
    webhookPort,
    async start() {
      const started = performance.now();
      const log = openSync(logFile, 'a');
      program = spawn(process.execPath, [PROGRAM, 'guard', 'serve', '--kubeconfig', kubeconfig, '--replica', name], {
        stdio: ['ignore', log, log],
        env: {
          PATH: process.env['PATH'] ?? '',
          HOME: home,
          BREAKWATER_WEBHOOK_LISTEN: `127.0.0.1:${webhookPort}`,
          BREAKWATER_METRICS_LISTEN: `127.0.0.1:${healthPort}`,
          BREAKWATER_DATA_DIR: join(home, 'data'),
          BREAKWATER_GUARD_HEARTBEAT_SECONDS: '1',
          BREAKWATER_GUARD_SETTLE_SECONDS: '2',
          BREAKWATER_AUDIT_INTERVAL_SECONDS: '5',
          ...settings,
        },
      });
      closeSync(log);
      while ((await ready()).code !== 200) {
        if (program.exitCode !== null || performance.now() - started > READY_MS) {
          throw new Error(`${name} did not become ready: ${(await ready()).body}\n${await readFile(logFile, 'utf8')}`);
        }
        await delay(100);
      }
      return performance.now() - started;
    },
    kill: async () => void (await ended('SIGKILL')),
    terminate: () => ended('SIGTERM'),
    pid: () => program?.pid,
    log: () => readFile(logFile, 'utf8'),
    ready,
    async metric(metric) {
      const text = await (await fetch(`http://127.0.0.1:${healthPort}/metrics`)).text();
      const line = text.split('\n').find((one) => one.startsWith(`${metric} `));
      return line === undefined ? undefined : Number(line.split(' ')[1]);
    },
  };
}

async function serviceAccountConfig(cluster: TestCluster): Promise<string> {
  const made = await cluster.kubectl([
    'create',
    'token',
    'breakwater-guard',
    '-n',
    'breakwater-system',
    '--duration=4h',
  ]);
  if (made.code !== 0) throw new Error(`no token for the guard: ${made.stderr}`);
  const config = JSON.parse(await readFile(cluster.kubeconfig, 'utf8')) as { users: { user: object }[] };
  config.users = config.users.map((one) => ({ ...one, user: { token: made.stdout.trim() } }));
  return JSON.stringify(config);
}
