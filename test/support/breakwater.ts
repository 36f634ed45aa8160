import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort } from './free-port.ts';
import { type Outcome, type RunOptions, run, type Service, startService, until } from './program.ts';

const PROGRAM = resolve(import.meta.dirname, '../../bin/breakwater.mjs');
const START_MS = 60_000;
/** Settings of whoever runs the tests must not reach the server under test. */
const FOREIGN_SETTINGS = Object.fromEntries(
  Object.keys(process.env)
    .filter((name) => name.startsWith('BREAKWATER_'))
    .map((name) => [name, undefined]),
);

export interface Ports {
  readonly registry: number;
  readonly webhook: number;
  readonly metrics: number;
}

export interface StartOptions {
  /** A folder that outlives the server; without it one is made and removed with `stop`. */
  readonly dataDir?: string;
  /** To come back under the same addresses. */
  readonly ports?: Ports;
  /** `null` lets the server make its own first password and print it. */
  readonly adminPassword?: string | null;
  /** Another command that starts the server, like `npm start`, run in the checkout. */
  readonly command?: readonly [program: string, ...args: string[]];
  /** More settings, by their whole names. */
  readonly environment?: NodeJS.ProcessEnv;
}

/** The real server as a process of its own. */
export interface BreakwaterServer {
  readonly url: string;
  /** `127.0.0.1:port`, as it stands in image names. */
  readonly host: string;
  readonly webhookUrl: string;
  readonly metricsUrl: string;
  readonly ports: Ports;
  readonly dataDir: string;
  readonly password: string;
  readonly pid: number;
  /** Milliseconds from the start of the process until `/readyz` answered 200. */
  readonly startedInMs: number;
  /** Milliseconds of processor time it took until then: what remains comparable while others use the machine. */
  readonly startedWithCpuMs: number;
  output(): string;
  /** Runs the command line against this server; as `admin` unless an account is given. */
  cli(args: readonly string[], options?: RunOptions & { account?: Account }): Promise<Outcome>;
  /** SIGTERM; gives the exit code. */
  stop(): Promise<number>;
  /** SIGKILL, as the power failing. */
  kill(): Promise<void>;
}

export interface Account {
  readonly user: string;
  readonly password: string;
}

const ADMIN_PASSWORD = 'first-password-of-tests';

/** Runs `breakwater` alone, against no server. */
function runCli(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return run(process.execPath, [PROGRAM, ...args], {
    ...options,
    environment: { ...FOREIGN_SETTINGS, ...options.environment },
  });
}

/** Starts the process of `breakwater serve` and does not wait for it to be ready. */
export async function launchBreakwater(
  options: StartOptions & { readonly dataDir: string; readonly ports: Ports },
): Promise<Service> {
  const { dataDir, ports } = options;
  const [program, ...args] = options.command ?? [process.execPath, PROGRAM, 'serve'];
  return startService(program, args, {
    ...(options.command ? { folder: resolve(import.meta.dirname, '../..') } : {}),
    environment: {
      ...FOREIGN_SETTINGS,
      BREAKWATER_LISTEN: `127.0.0.1:${ports.registry}`,
      BREAKWATER_WEBHOOK_LISTEN: `127.0.0.1:${ports.webhook}`,
      BREAKWATER_METRICS_LISTEN: `127.0.0.1:${ports.metrics}`,
      BREAKWATER_DATA_DIR: dataDir,
      ...(options.adminPassword === null ? {} : { BREAKWATER_ADMIN_PASSWORD: options.adminPassword ?? ADMIN_PASSWORD }),
      ...options.environment,
    },
  });
}

/** Starts `breakwater serve` on free loopback ports and waits until it is ready; throws with its output when it is not. */
export async function startBreakwater(options: StartOptions = {}): Promise<BreakwaterServer> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'breakwater-server-')));
  const ports = options.ports ?? {
    registry: await freePort(),
    webhook: await freePort(),
    metrics: await freePort(),
  };
  const metricsUrl = `http://127.0.0.1:${ports.metrics}`;
  const began = performance.now();
  const service = await launchBreakwater({ ...options, dataDir, ports });
  await until(() => isReady(metricsUrl), {
    limitMs: START_MS,
    describe: () => 'Breakwater did not become ready:',
    service,
    pauseMs: 20,
  });
  const startedInMs = performance.now() - began;
  const startedWithCpuMs = await processorMs(service.pid);
  const url = `http://127.0.0.1:${ports.registry}`;
  const password =
    options.adminPassword === null ? await printedPassword(service) : (options.adminPassword ?? ADMIN_PASSWORD);
  return {
    url,
    host: `127.0.0.1:${ports.registry}`,
    webhookUrl: `https://127.0.0.1:${ports.webhook}`,
    metricsUrl,
    ports,
    dataDir,
    password,
    pid: service.pid,
    startedInMs,
    startedWithCpuMs,
    output: () => service.output(),
    cli(args, { account, ...rest } = {}) {
      const environment = {
        BREAKWATER_URL: url,
        BREAKWATER_USER: account?.user ?? 'admin',
        BREAKWATER_PASSWORD: account?.password ?? password,
        ...rest.environment,
      };
      return runCli(args, { ...rest, environment });
    },
    async stop() {
      const code = await service.stop();
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
      return code;
    },
    kill: () => service.kill(),
  };
}

/** User and system time of a process so far (proc(5), `/proc/pid/stat`, in hundredths of a second). */
async function processorMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return 10 * (Number(fields[11] ?? 0) + Number(fields[12] ?? 0));
}

async function isReady(metricsUrl: string): Promise<boolean> {
  try {
    return (await fetch(`${metricsUrl}/readyz`, { signal: AbortSignal.timeout(5000) })).status === 200;
  } catch {
    return false;
  }
}

/** The first password as the terminal shows it; empty on a start that is not the first. */
async function printedPassword(service: Service): Promise<string> {
  await until(() => service.output().includes('Try next'), {
    limitMs: START_MS,
    describe: () => 'Breakwater did not print where to go:',
    service,
  });
  return /password: (\S+)/.exec(service.output())?.[1] ?? '';
}
