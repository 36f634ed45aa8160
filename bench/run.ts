import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildLoadGenerator } from './load.ts';
import { checkoutLine, machineLine } from './machine.ts';
import { type Options, type Part, readOptions } from './options.ts';
import { benchRegistries } from './registry/registry.ts';
import { benchScanners } from './scan.ts';
import { benchVerdicts } from './verdict.ts';
import { benchWebhooks } from './webhook.ts';

const BENCHES: Readonly<Record<Part, (options: Options) => Promise<void>>> = {
  registry: benchRegistries,
  scan: benchScanners,
  verdict: benchVerdicts,
  webhook: benchWebhooks,
};

const { parts, rounds, scale } = readOptions(process.argv.slice(2));
const folder = await mkdtemp(join(tmpdir(), 'breakwater-bench-'));
try {
  const load = await buildLoadGenerator(folder);
  console.log(`${await checkoutLine()}\nMachine: ${machineLine()}`);
  console.log('Client and server share it. Figures: median of the rounds (smallest-largest).');
  for (const part of parts) await BENCHES[part]({ rounds, scale, folder, load });
} finally {
  await rm(folder, { recursive: true, force: true });
}
