import { readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { defaultPolicy } from '../../src/policy/policy.ts';
import { createSimulator } from '../../src/simulate/simulator.ts';
import { askGate, pullable } from './gate.ts';
import { type Figure, percentile, type Row } from './row.ts';
import { HOST } from './world.ts';

const IDLE_MS = 3000;
const document = { ...defaultPolicy, block: { fixable: 'high', unfixable: 'off' } } as const;

/** Resident bytes of this process and of those it started: a simulation has one of its own. */
async function residentMemory(): Promise<number> {
  const children = await readFile(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8');
  const sizes = children.split(' ').filter(Boolean).map(residentOf);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, process.memoryUsage.rss());
}

async function residentOf(pid: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

/** A whole simulation in its process, while the gate is asked all the time. */
export const simulateRow: Row = {
  name: 'simulate',
  async measure({ location, advisories, ...world }): Promise<readonly Figure[]> {
    const subjects = await pullable(world);
    await askGate(world, subjects, delay(500));
    const idle = await askGate(world, subjects, delay(IDLE_MS));
    globalThis.gc?.();
    const before = await residentMemory();
    let peak = before;
    const look = async (): Promise<void> => {
      peak = Math.max(peak, await residentMemory());
    };
    const watch = setInterval(() => void look(), 20);
    const began = performance.now();
    const simulated = createSimulator({ location, hosts: [HOST], advisories }).run({
      policy: { owner: '', document },
    });
    const meanwhile = await askGate(world, subjects, simulated);
    const seconds = (performance.now() - began) / 1000;
    clearInterval(watch);
    const { images, running } = await simulated;
    if (images.judged === 0 || running.containers === 0) throw new Error('there was nothing to simulate with');
    const [quiet, busy] = [percentile(idle, 0.99), percentile(meanwhile, 0.99)];
    return [
      {
        what: `simulate a policy: ${images.judged} images, ${running.containers} pods`,
        value: seconds,
        unit: 's',
        goal: 5,
      },
      { what: 'memory it takes', value: (peak - before) / 1e6, unit: 'MB', goal: 300 },
      { what: 'gate p99 meanwhile, beside idle', value: busy / quiet, unit: '×', goal: 2 },
      { what: 'gate p99 idle', value: quiet, unit: 'ms' },
      { what: 'gate p99 meanwhile', value: busy, unit: 'ms' },
    ];
  },
};
