import { join } from 'node:path';
import { run } from '../test/support/program.ts';
import type { Sample } from './figures.ts';

const LIMIT_MS = 15 * 60_000;

/** The load generator of `bench/regbench`, built. */
export interface LoadGenerator {
  /** Runs it with `-name value` for each entry and gives its figures. Throws when one request failed. */
  measure(flags: Readonly<Record<string, string | number | boolean>>): Promise<Sample>;
  /**
   * Runs a program to its end, its output thrown away; time, processor and memory as the kernel accounts for them. Exit code 1
   * is an answer too with `mayFail`, as scanners give it when they find something; everything else throws.
   */
  weigh(command: readonly string[], options: { mayFail: boolean; environment: NodeJS.ProcessEnv }): Promise<Sample>;
}

interface Printed {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly serverCpuMsPerOp?: number;
  readonly serverPeakMB?: number;
}

interface PrintedCost {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMB: number;
}

/** Builds the load generator into a folder; needs Go. */
export async function buildLoadGenerator(folder: string): Promise<LoadGenerator> {
  const program = join(folder, 'regbench');
  const built = await run('go', ['build', '-o', program, '.'], {
    folder: join(import.meta.dirname, 'regbench'),
    environment: { CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false' },
    timeout: LIMIT_MS,
  });
  if (built.code !== 0) throw new Error(`the load generator does not build (it needs Go):\n${built.screen}`);
  return {
    async measure(flags) {
      const args = Object.entries(flags).map(([name, value]) => `-${name}=${value}`);
      const outcome = await run(program, ['-json', ...args], { timeout: LIMIT_MS });
      if (outcome.code !== 0) throw new Error(`regbench ${args.join(' ')}:\n${outcome.screen}`);
      const printed = JSON.parse(outcome.stdout) as Printed;
      return {
        perSecond: printed.perSecond,
        p50Ms: printed.p50Ms,
        p99Ms: printed.p99Ms,
        ...(printed.serverCpuMsPerOp === undefined ? {} : { cpuMs: printed.serverCpuMsPerOp }),
        ...(printed.serverPeakMB === undefined ? {} : { peakMB: printed.serverPeakMB }),
      };
    },
    async weigh(command, { mayFail, environment }) {
      const args = ['-scenario=run', `-may-fail=${mayFail}`, '--', ...command];
      const outcome = await run(program, args, { timeout: LIMIT_MS, environment });
      if (outcome.code !== 0) throw new Error(`regbench ${args.join(' ')}:\n${outcome.screen}`);
      const { seconds, cpuSeconds, peakMB } = JSON.parse(outcome.stdout) as PrintedCost;
      return { perSecond: 1 / seconds, p50Ms: seconds * 1000, cpuMs: cpuSeconds * 1000, peakMB };
    },
  };
}
