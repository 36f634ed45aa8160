import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '../src/platform/clock.ts';
import { buildApart } from '../src/scanner/advisories/build-apart.ts';
import { dataPath } from '../test/support/data.ts';
import { writeEpss, writeLargeCsaf, writeUbuntuLike } from './feeds-synthetic.ts';
import { checkoutLine, machineLine } from './machine.ts';

/** One build of a database from one feed, in a process of its own. */
interface Row {
  readonly name: string;
  readonly megabytes: number;
  readonly records: number;
  readonly statements: number;
  readonly vulnerabilities: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMegabytes: number;
}

const MEGABYTE = 1024 * 1024;
const [mode = '', from = '', out = ''] = process.argv.slice(2);
if (mode === '--child') await build(from, out);
else await main(mode === '--full' ? 1 : 0.1);

/** Builds and tells on standard output what it took, as JSON. */
async function build(feeds: string, file: string): Promise<void> {
  const start = performance.now();
  const { records, statements, vulnerabilities } = await buildApart({
    from: feeds,
    out: file,
    clock: systemClock,
  });
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const row: Omit<Row, 'name' | 'megabytes'> = {
    records,
    statements,
    vulnerabilities,
    seconds: (performance.now() - start) / 1000,
    cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
    peakMegabytes: peakKilobytes(maxRSS) / 1024,
  };
  process.stdout.write(JSON.stringify(row));
}

/** Peak of this process. What the system says of it begins with the memory of the process that started it. */
function peakKilobytes(otherwise: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? otherwise);
  } catch {
    return otherwise;
  }
}

/** `scale` of the real size of the largest feed; everything else is always in full. */
async function main(scale: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-feeds-'));
  try {
    console.log(`${await checkoutLine()}\nMachine: ${machineLine()}\n`);
    console.log('| feed | MB | records | statements | vulnerabilities | seconds | CPU seconds | peak MB |');
    console.log('|---|--:|--:|--:|--:|--:|--:|--:|');
    const osv = dataPath('osv');
    const ecosystems = (await readdir(osv, { withFileTypes: true })).filter((entry) => entry.isDirectory());
    for (const { name } of ecosystems) print(await measure(`OSV ${name}`, [join(osv, name)], folder));
    for (const feed of ['secdb', 'debian-tracker', 'csaf', 'cvelist', 'nvd', 'kev', 'epss']) {
      print(await measure(feed, [dataPath(feed)], folder));
    }
    print(await measure('all OSV ecosystems', [osv], folder));
    const made = join(folder, 'made');
    await writeUbuntuLike(join(made, 'Ubuntu', 'all.zip'), Math.ceil(60_000 * scale));
    print(await measure(`made: OSV like Ubuntu, ${scale} of its size`, [join(made, 'Ubuntu')], folder));
    await rm(join(made, 'Ubuntu'), { recursive: true });
    await writeLargeCsaf(join(made, 'csaf', 'cve-2026-99999.json'), 94 * MEGABYTE);
    print(await measure('made: one CSAF document of 94 MB', [join(made, 'csaf')], folder));
    await writeEpss(join(made, 'epss', 'epss_scores-2026-11-24.csv.gz'), 300_000);
    print(await measure('made: EPSS with 300,000 rows', [join(made, 'epss')], folder));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Builds from some folders alone. */
async function measure(name: string, folders: readonly string[], scratch: string): Promise<Row> {
  const feeds = await mkdtemp(join(scratch, 'from-'));
  for (const folder of folders) await symlink(folder, join(feeds, basename(folder)));
  const file = join(scratch, 'out.sqlite');
  const { stdout } = await promisify(execFile)(process.execPath, [import.meta.filename, '--child', feeds, file]);
  return { name, megabytes: await sizeOf(feeds), ...(JSON.parse(stdout) as Omit<Row, 'name' | 'megabytes'>) };
}

async function sizeOf(path: string): Promise<number> {
  const info = await stat(path);
  if (!info.isDirectory()) return info.size / MEGABYTE;
  const sizes = await Promise.all((await readdir(path)).map((name) => sizeOf(join(path, name))));
  return sizes.reduce((sum, size) => sum + size, 0);
}

function print(row: Row): void {
  const numbers = [row.records, row.statements, row.vulnerabilities].map((value) => value.toLocaleString('en-US'));
  const rest = [row.seconds.toFixed(1), row.cpuSeconds.toFixed(1), row.peakMegabytes.toFixed(0)];
  console.log(`| ${[row.name, row.megabytes.toFixed(1), ...numbers, ...rest].join(' | ')} |`);
}
