import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { requirePeer } from '../../test/support/peers.ts';
import { run } from '../../test/support/program.ts';
import type { Sample } from '../figures.ts';

export interface Load {
  readonly url: string;
  /** Whose processor time and memory are taken. */
  readonly pid: number;
  /** File with the body of the request. */
  readonly body: string;
  readonly connections: number;
  readonly seconds: number;
  /** For the script it is given. */
  readonly folder: string;
}

const UNITS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000 };
/** Of /proc/PID/stat on Linux, whatever the processor. */
const TICK_MS = 10;

/** Posts one body over and over, TLS with kept connections. Throws when one answer was not a 2xx. */
export async function post(load: Load): Promise<Sample> {
  const script = join(load.folder, 'post.lua');
  const lines = [
    'wrk.method = "POST"',
    'wrk.headers["Content-Type"] = "application/json"',
    `local file = io.open(${JSON.stringify(load.body)}, "rb")`,
    'wrk.body = file:read("*a")',
    'file:close()',
  ];
  await writeFile(script, `${lines.join('\n')}\n`);
  const before = await processorMs(load.pid);
  const args = ['-t1', `-c${load.connections}`, `-d${load.seconds}s`, '--latency', '-s', script, load.url];
  const { code, stdout, screen } = await run(requirePeer('wrk'), args, { timeout: (load.seconds + 60) * 1000 });
  const after = await processorMs(load.pid);
  const requests = Number(/(\d+) requests in /.exec(stdout)?.[1] ?? 0);
  if (code !== 0 || requests === 0 || /Non-2xx|Socket errors/.test(stdout))
    throw new Error(`wrk ${args.join(' ')}:\n${screen}`);
  const peak = await peakMB(load.pid);
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]),
    p50Ms: milliseconds(/50%\s+([\d.]+)(us|ms|s|m)/.exec(stdout)),
    p99Ms: milliseconds(/99%\s+([\d.]+)(us|ms|s|m)/.exec(stdout)),
    cpuMs: (after - before) / requests,
    peakMB: peak,
  };
}

function milliseconds(found: RegExpExecArray | null): number {
  return Number(found?.[1]) * (UNITS[found?.[2] ?? ''] ?? Number.NaN);
}

/** User and system time of a process, all its threads. */
async function processorMs(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** The most memory a process ever held. */
async function peakMB(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(text)?.[1]) / 1024;
}
