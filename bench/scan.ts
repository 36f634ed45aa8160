import { mkdir, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { dataPath, hasData } from '../test/support/data.ts';
import { findPeer, requirePeer } from '../test/support/peers.ts';
import { alternate, type Row, type Sample } from './figures.ts';
import { benchImages } from './images.ts';
import { versionOf } from './machine.ts';
import type { Options } from './options.ts';
import { printRows } from './print.ts';

const PROGRAM = resolve(import.meta.dirname, '../bin/breakwater');
/** Runs of one round; the shortest counts, as what disturbs a run only makes it longer. */
const RUNS = 5;

interface Scanner {
  readonly name: string;
  readonly program: string;
  arguments(archive: string): readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** It reports findings by exit code 1. */
  readonly mayFail: boolean;
}

/** Scanning of docker archives, with findings, beside osv-scanner on the same records, and whoever else was built. */
export async function benchScanners({ rounds, folder, scale, load }: Options): Promise<void> {
  if (!hasData)
    throw new Error('scanning is measured on real images: set BREAKWATER_TEST_DATA to the folder of the test data');
  const scanners = await contenders(folder);
  const runs = Math.max(1, Math.round(RUNS * scale));
  console.log(
    `\n# Scanner: ${rounds} rounds, the best of ${runs} runs in each, no image cached between runs, advisories in place before the first`,
  );
  for (const { name, program, versionArguments } of scanners.versions)
    console.log(`${name}: ${await versionOf(program, versionArguments)}`);
  for (const name of scanners.absent)
    console.log(`${name} is not measured: it was not built (dev/peers/peers ${name})`);
  const rows: Row[] = [];
  for (const { name: scenario, archive } of await benchImages(folder)) {
    const weigh = ({ program, environment, mayFail, ...scanner }: Scanner) =>
      load.weigh([program, ...scanner.arguments(archive)], { mayFail, environment });
    for (const scanner of scanners.list) await weigh(scanner);
    const samples = await alternate(scanners.list, rounds, async (scanner) => {
      const times: Sample[] = [];
      for (let count = 0; count < runs; count += 1) times.push(await weigh(scanner));
      return times.reduce((best, one) => (one.perSecond > best.perSecond ? one : best));
    });
    rows.push({ scenario, samples });
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
      program: PROGRAM,
      arguments: (archive) => ['scan', archive, '-o', 'json'],
      environment: {
        BREAKWATER_DATA_DIR: join(folder, 'scan-data'),
        BREAKWATER_CACHE_HOME: join(folder, 'scan-cache'),
      },
      mayFail: false,
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
      mayFail: true,
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
      mayFail: false,
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
      // It ends so where it meets a jar: it wants a database of them that cannot be had off-line.
      mayFail: true,
    });
    versions.push({ name: 'trivy', program: trivy, versionArguments: ['--version'] });
  }
  return { list, versions, absent };
}
