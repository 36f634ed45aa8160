import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requirePeer } from './peers.ts';
import { type Service, startService, until } from './program.ts';

const ATTACH_MS = 10_000;

async function attach(pid: number, options: readonly string[]): Promise<Service> {
  const tracer = await startService(requirePeer('strace'), ['-f', ...options, '-p', String(pid)]);
  await until(() => /attached/.test(tracer.output()), {
    limitMs: ATTACH_MS,
    describe: () => 'strace does not attach',
    service: tracer,
  });
  return tracer;
}

/**
 * Makes system calls of a running process fail as told, as `fdatasync:error=EIO` (strace(1), "Tampering"), until `stop`. Needs strace
 * and the right to trace.
 */
export async function breakCalls(pid: number, faults: readonly string[]): Promise<{ stop(): Promise<void> }> {
  const calls = faults.map((fault) => fault.split(':', 1)[0]).join(',');
  const inject = faults.flatMap((fault) => ['-e', `inject=${fault}`]);
  const tracer = await attach(pid, ['-e', `trace=${calls}`, ...inject]);
  return { stop: async () => void (await tracer.stop()) };
}

/** One call of the system, with its paths and the first bytes of what it writes; `began` and `ended` order all of them. */
export interface Call {
  readonly text: string;
  readonly began: number;
  readonly ended: number;
}

/** Writes down calls of a running process, of all its threads, until `stop`. */
export async function traceCalls(pid: number, calls: readonly string[]): Promise<{ stop(): Promise<Call[]> }> {
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-strace-'));
  const file = join(folder, 'calls');
  const tracer = await attach(pid, ['-y', '-s', '64', '-o', file, '-e', `trace=${calls.join(',')}`]);
  return {
    async stop() {
      await tracer.stop();
      const text = await readFile(file, 'utf8');
      await rm(folder, { recursive: true, force: true });
      return readCalls(text.split('\n'));
    },
  };
}

/** A call during which another thread was seen is written in two lines. */
function readCalls(lines: readonly string[]): Call[] {
  const calls: Call[] = [];
  const open = new Map<string, { readonly text: string; readonly began: number }>();
  for (const [at, line] of lines.entries()) {
    const [, thread = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const unfinished = /^(.*) <unfinished \.\.\.>$/.exec(rest);
    const begun = open.get(thread);
    if (unfinished) open.set(thread, { text: unfinished[1] ?? '', began: at });
    else if (rest.startsWith('<... ') && begun) {
      calls.push({ ...begun, ended: at });
      open.delete(thread);
    } else if (rest !== '') calls.push({ text: rest, began: at, ended: at });
  }
  return calls.sort((a, b) => a.began - b.began);
}
