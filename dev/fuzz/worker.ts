import { createRandom } from './random.ts';
import type { Sample, Target } from './target.ts';
import { TARGETS } from './targets.ts';

/** Processor time that one case may take, ms; and memory that the whole process may, MB. */
const SLOWEST = 10_000;
const LARGEST_MB = 700;
const REPORT_MS = 250;

/** A case by its number: the same again in any process. */
export function caseOf(target: Target, samples: readonly Sample[], seed: number, turn: number): Sample {
  const random = createRandom(seed, turn);
  const sample = random.pick(samples);
  return { path: sample.path, bytes: target.mutate(random, sample.bytes, random.pick(samples).bytes) };
}

/** Runs cases of one target without end and tells the parent which; a failure ends it. */
async function work(name: string, seed: number): Promise<void> {
  const target = TARGETS.find((one) => one.name === name);
  if (!target) throw new Error(`there is no target ${name}`);
  const samples = await target.samples();
  process.send?.({ kind: 'ready', samples: samples.length });
  if (samples.length === 0) return;
  let told = 0;
  for (let turn = 0; ; turn += 1) {
    const one = caseOf(target, samples, seed, turn);
    const now = Date.now();
    // Told before: what kills the process is the case that was told last, or one soon after.
    if (now - told > REPORT_MS) {
      process.send?.({ kind: 'at', turn, cpu: process.cpuUsage() });
      told = now;
      await new Promise((resolve) => setImmediate(resolve));
    }
    const problem = await failureOf(target, one, LARGEST_MB);
    if (problem !== undefined) {
      process.send?.({ kind: 'failed', turn, problem, path: one.path, bytes: one.bytes.toString('base64') });
      return;
    }
  }
}

/** What is wrong with how a target takes a case; undefined when nothing is. */
export async function failureOf(target: Target, one: Sample, largestMb = Infinity): Promise<string | undefined> {
  const before = process.cpuUsage();
  try {
    await target.run(one);
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  const { user, system } = process.cpuUsage(before);
  const took = (user + system) / 1000;
  if (took > SLOWEST) return `it took ${Math.round(took)} ms`;
  const memory = process.resourceUsage().maxRSS / 1024;
  return memory > largestMb ? `it took ${Math.round(memory)} MB` : undefined;
}

const [, , name, seed] = process.argv;
if (process.send && name !== undefined) {
  await work(name, Number(seed));
  process.disconnect?.();
}
