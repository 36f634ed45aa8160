import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

export interface Outcome {
  /** Exit code; 128 when a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Both streams in the order they came, as a terminal shows them. */
  readonly screen: string;
}

export interface RunOptions {
  readonly input?: string;
  /** Added to the environment of this process; undefined takes a name out. */
  readonly environment?: NodeJS.ProcessEnv;
  readonly folder?: string;
  /** Milliseconds until it is killed; two minutes unless told. */
  readonly timeout?: number;
}

const PATIENCE_MS = 120_000;
const STOP_MS = 20_000;

/** Runs a program to its end. A non-zero exit is an outcome, not an error; a program that cannot be started throws. */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const child = spawn(program, args, {
    cwd: options.folder,
    env: { ...process.env, ...options.environment },
    stdio: 'pipe',
    timeout: options.timeout ?? PATIENCE_MS,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  let screen = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    screen += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    screen += text;
  });
  // A program may end without reading what it was given.
  child.stdin.on('error', () => undefined).end(options.input ?? '');
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? 128, stdout, stderr, screen };
}

/** A server that was started for a test. */
export interface Service {
  readonly pid: number;
  /** What it printed so far, both streams. */
  output(): string;
  running(): boolean;
  /** Asks it to end (SIGTERM), waits, and gives its exit code; kills it after 20 s and then gives 128. */
  stop(): Promise<number>;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
}

/** Starts a program that goes on running; it gets no input. Rejects when it cannot be started at all. */
export async function startService(
  program: string,
  args: readonly string[],
  options: Omit<RunOptions, 'input' | 'timeout'> = {},
): Promise<Service> {
  const child: ChildProcess = spawn(program, args, {
    cwd: options.folder,
    env: { ...process.env, ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
  // Not `close`: a process it left behind may hold its output open.
  const ended = new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 128)));
  await once(child, 'spawn');
  // Nothing is left behind when the test itself dies.
  const orphaned = () => child.kill('SIGKILL');
  process.once('exit', orphaned);
  void ended.then(() => process.removeListener('exit', orphaned));
  return {
    pid: child.pid ?? 0,
    output: () => printed,
    running: () => child.exitCode === null && child.signalCode === null,
    async stop() {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      const code = await ended;
      clearTimeout(late);
      return code;
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/**
 * Waits until `check` gives true, asking again after `pauseMs` (50 unless told). Throws after `limitMs` with what `describe`
 * says, and at once when the service has ended.
 */
export async function until(
  check: () => Promise<boolean> | boolean,
  options: { limitMs: number; describe: () => string; service?: Service; pauseMs?: number },
): Promise<void> {
  const end = performance.now() + options.limitMs;
  for (;;) {
    if (await check()) return;
    const gone = options.service?.running() === false;
    if (gone || performance.now() > end)
      throw new Error(`${options.describe()}\n${options.service?.output().slice(-4000) ?? ''}`);
    await delay(options.pauseMs ?? 50);
  }
}

/** True when the address answers with a status below 500. */
export async function answers(url: string): Promise<boolean> {
  try {
    const reply = await fetch(url, { signal: AbortSignal.timeout(5000) });
    await reply.body?.cancel();
    return reply.status < 500;
  } catch {
    return false;
  }
}
