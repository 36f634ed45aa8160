import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, stat, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { dataPath, hasData } from '../test/support/data.ts';
import { writeDockerArchive } from '../test/support/docker-archive.ts';
import { findPeer, requirePeer } from '../test/support/peers.ts';
import { alternate, type Row, type Sample } from './figures.ts';
import { versionOf } from './machine.ts';
import type { Options } from './options.ts';
import { printRows } from './print.ts';

const PROGRAM = resolve(import.meta.dirname, '../bin/breakwater.mjs');
const IMAGES = [
  ['Alpine 3.20.3', 'alpine/alpine-minirootfs-3.20.3-x86_64.tar.gz'],
  ['Debian 12 minbase', 'debian/debian-12-minbase.tar.gz'],
] as const;
/** Runs of one round; the shortest counts, as what disturbs a run only makes it longer. */
const RUNS = 5;
const SAMPLE_MS = 5;

interface Scanner {
  readonly name: string;
  readonly program: string;
  arguments(archive: string): readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** Exit codes that say "done": some report findings by it. */
  readonly good: readonly number[];
}

/** Scanning of docker archives, with findings, beside osv-scanner on the same records, and whoever else was built. */
export async function benchScanners({ rounds, folder, scale }: Options): Promise<void> {
  if (!hasData)
    throw new Error('scanning is measured on real images: set BREAKWATER_TEST_DATA to the folder of the test data');
  const scanners = await contenders(folder);
  const runs = Math.max(1, Math.round(RUNS * scale));
  console.log(`\n# Scanner: ${rounds} rounds, the best of ${runs} runs in each, nothing cached between runs`);
  for (const { name, program, versionArguments } of scanners.versions)
    console.log(`${name}: ${await versionOf(program, versionArguments)}`);
  for (const name of scanners.absent)
    console.log(`${name} is not measured: it was not built (dev/peers/peers ${name})`);
  const rows: Row[] = [];
  for (const [scenario, rootfs] of IMAGES) {
    const archive = join(folder, `${scenario.replaceAll(/\W+/g, '-').toLowerCase()}.tar`);
    writeDockerArchive(dataPath(rootfs), archive);
    const megabytes = ((await stat(archive)).size / 1e6).toFixed(0);
    for (const scanner of scanners.list) await time(scanner, archive);
    const samples = await alternate(scanners.list, rounds, async (scanner) => {
      const times: Sample[] = [];
      for (let count = 0; count < runs; count += 1) times.push(await time(scanner, archive));
      return times.reduce((best, one) => (one.perSecond > best.perSecond ? one : best));
    });
    rows.push({ scenario: `${scenario}, ${megabytes} MB`, samples });
  }
  printRows(rows);
}

async function contenders(folder: string) {
  const osv = requirePeer('osv-scanner');
  const cache = join(folder, 'osv-cache');
  await mkdir(cache);
  await symlink(dataPath('osv'), join(cache, 'osv-scalibr'));
  const list: Scanner[] = [
    {
      name: 'Breakwater',
      program: process.execPath,
      arguments: (archive) => [PROGRAM, 'scan', archive, '-o', 'json'],
      environment: { BREAKWATER_DATA_DIR: join(folder, 'scan-data') },
      good: [0],
    },
    {
      name: 'osv-scanner',
      program: osv,
      arguments: (archive) => [
        'scan',
        'image',
        '--archive',
        '--offline',
        '--format=json',
        '--all-packages',
        '--all-vulns',
        archive,
      ],
      environment: { OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY: cache },
      good: [0, 1],
    },
  ];
  const versions = [{ name: 'osv-scanner', program: osv, versionArguments: ['--version'] }];
  const absent: string[] = [];
  const syft = findPeer('syft');
  if (syft === undefined) absent.push('syft');
  else {
    list.push({
      name: 'syft (packages only)',
      program: syft,
      arguments: (archive) => ['scan', '-q', `docker-archive:${archive}`, '-o', 'json'],
      environment: { SYFT_CHECK_FOR_APP_UPDATE: 'false' },
      good: [0],
    });
    versions.push({ name: 'syft', program: syft, versionArguments: ['--version'] });
  }
  const trivy = findPeer('trivy');
  if (trivy === undefined) absent.push('trivy');
  else {
    list.push({
      name: 'trivy (packages only)',
      program: trivy,
      arguments: (archive) => [
        'image',
        '--quiet',
        '--format=cyclonedx',
        '--offline-scan',
        '--skip-version-check',
        '--skip-db-update',
        '--skip-java-db-update',
        '--cache-backend=memory',
        `--cache-dir=${join(folder, 'trivy-cache')}`,
        '--input',
        archive,
      ],
      environment: {},
      good: [0],
    });
    versions.push({ name: 'trivy', program: trivy, versionArguments: ['--version'] });
  }
  return { list, versions, absent };
}

/** One run, its output thrown away: time on the wall, and the most memory the process had. */
async function time(scanner: Scanner, archive: string): Promise<Sample> {
  const began = performance.now();
  const child = spawn(scanner.program, scanner.arguments(archive), {
    env: { ...process.env, ...scanner.environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  let peakMB = 0;
  const look = async (): Promise<void> => {
    peakMB = Math.max(peakMB, await peakOf(child.pid ?? 0));
  };
  const watching = setInterval(() => void look(), SAMPLE_MS);
  const [code] = (await once(child, 'close')) as [number | null];
  const milliseconds = performance.now() - began;
  clearInterval(watching);
  if (code === null || !scanner.good.includes(code))
    throw new Error(`${scanner.name} ended with ${code}:\n${complaints.slice(-2000)}`);
  return { perSecond: 1000 / milliseconds, p50Ms: milliseconds, peakMB };
}

/** The kernel keeps the highest value, so the last look before the end is near it. */
async function peakOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}
