import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Inventory, Package, PackageType } from '../../src/model/inventory.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { buildAdvisoryDatabase } from '../../src/scanner/advisories/build.ts';
import { openAdvisoryDatabase } from '../../src/scanner/advisories/database.ts';
import type { AdvisoryDatabase } from '../../src/scanner/advisories/types.ts';
import { ecosystemOf } from '../../src/scanner/matcher/ecosystem.ts';
import { expectedInventory } from '../../src/scanner/matcher/expected-inventory.testing.ts';
import { matchInventory } from '../../src/scanner/matcher/match.ts';
import { packageUrl } from '../../src/scanner/purl.ts';
import { dataPath, hasData } from '../support/data.ts';
import { writeDockerArchive } from '../support/docker-archive.ts';

const leftOut = (process.env['BREAKWATER_LEAVE_OUT'] ?? '').split(',');
const scanner = join(process.env['PEERS_DIR'] ?? join(homedir(), '.cache/breakwater-peers'), 'bin/osv-scanner');
const folder = mkdtempSync(join(tmpdir(), 'breakwater-osv-scanner-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const alpine = (release: string): Image => ({
  rootfs: `alpine/alpine-minirootfs-${release}-x86_64.tar.gz`,
  inventory: () =>
    expectedInventory(`alpine/alpine-minirootfs-${release}-x86_64.tar.gz.tsv`, 'apk', {
      id: 'alpine',
      version: release,
    }),
});

interface Image {
  readonly rootfs: string;
  readonly inventory: () => Inventory;
}

/** Image, number of distinct vulnerabilities. */
const IMAGES: readonly (readonly [string, number, Image])[] = [
  ['Alpine 3.6.5', 0, alpine('3.6.5')],
  ['Alpine 3.7.3', 0, alpine('3.7.3')],
  ['Alpine 3.8.5', 0, alpine('3.8.5')],
  ['Alpine 3.10.9', 1, alpine('3.10.9')],
  ['Alpine 3.11.13', 0, alpine('3.11.13')],
  ['Alpine 3.12.12', 1, alpine('3.12.12')],
  ['Alpine 3.14.10', 0, alpine('3.14.10')],
  ['Alpine 3.15.11', 0, alpine('3.15.11')],
  ['Alpine 3.17.10', 1, alpine('3.17.10')],
  ['Alpine 3.18.9', 1, alpine('3.18.9')],
  ['Alpine 3.19.4', 3, alpine('3.19.4')],
  ['Alpine 3.20.3', 25, alpine('3.20.3')],
  [
    'Debian 12 minbase',
    33,
    {
      rootfs: 'debian/debian-12-minbase.tar.gz',
      inventory: () => expectedInventory('debian/debian-12-minbase.tar.gz.tsv', 'deb', { id: 'debian', version: '12' }),
    },
  ],
  [
    'an npm application',
    13,
    {
      rootfs: 'layers/npm-vulnerable-app.tar.gz',
      inventory: () => expectedInventory('layers/npm-vulnerable-app.tsv', 'npm'),
    },
  ],
];

const LANGUAGES = [
  'cargo',
  'composer',
  'gem',
  'golang',
  'maven',
  'npm',
  'nuget',
  'pypi',
] as const satisfies readonly PackageType[];
/** Packages of an ecosystem that are asked about, and versions of each. */
const PACKAGES = 250;
const VERSIONS = 4;
/** Rows that only we report, and only osv-scanner does; docs/matching-differences.md gives the reasons. */
const DIFFERENCES: Readonly<Record<(typeof LANGUAGES)[number], readonly [ours: number, theirs: number]>> = {
  cargo: [0, 0],
  composer: [136, 10],
  gem: [7, 4],
  golang: [23, 0],
  maven: [2, 0],
  npm: [0, 0],
  nuget: [29, 0],
  pypi: [39, 0],
};

describe.skipIf(!hasData || leftOut.includes('osv-scanner'))(
  'findings beside osv-scanner with the same records',
  () => {
    let sameRecords: AdvisoryDatabase;
    let allFeeds: AdvisoryDatabase;

    beforeAll(async () => {
      if (!existsSync(scanner)) {
        throw new Error(`osv-scanner is not at ${scanner}: build the peers or set BREAKWATER_LEAVE_OUT=osv-scanner`);
      }
      const osv = join(folder, 'feeds/osv');
      mkdirSync(osv, { recursive: true });
      for (const ecosystem of ['Alpine', 'Debian', ...LANGUAGES.map(ecosystemName)])
        symlinkSync(dataPath('osv', ecosystem), join(osv, ecosystem));
      mkdirSync(join(folder, 'cache'));
      symlinkSync(osv, join(folder, 'cache/osv-scalibr'));
      sameRecords = await build('same.sqlite');
      for (const feed of ['secdb', 'nvd', 'kev', 'epss']) symlinkSync(dataPath(feed), join(folder, 'feeds', feed));
      allFeeds = await build('all.sqlite');
    }, 900_000);

    afterAll(() => {
      sameRecords?.close();
      allFeeds?.close();
    });

    it.each(IMAGES)('%s: the same %i vulnerabilities, package by package', (_, distinct, { rootfs, inventory }) => {
      const theirs = askScanner(rootfs);
      const ours = rows(inventory(), sameRecords);
      expect(ours).toEqual(theirs);
      expect(new Set(ours.map((row) => row.split(' ')[2])).size).toBe(distinct);
      // The other feeds add severities and what only they know; here they neither add nor remove a row.
      expect(rows(inventory(), allFeeds)).toEqual(ours);
    });

    it.each(LANGUAGES)(
      '%s packages in versions that the records name: the same records, but for what is explained',
      (type) => {
        const packages = namedPackages(sameRecords, type);
        const theirs = askAboutPackages(packages);
        const inventory = { analyser: 'named', packages, gaps: [], complete: true };
        const ours = new Set(
          matchInventory(inventory, sameRecords).findings.flatMap(({ package: pkg, advisories }) =>
            advisories.map((advisory) => `${pkg.name} ${pkg.version} ${advisory}`),
          ),
        );
        const [expectedOurs, expectedTheirs] = DIFFERENCES[type];
        const onlyOurs = ours.difference(theirs).size;
        const onlyTheirs = theirs.difference(ours).size;
        process.stdout.write(
          `${type}: ${packages.length} packages, ${ours.union(theirs).size} rows, only ours ${onlyOurs}, only theirs ${onlyTheirs}\n`,
        );
        expect(onlyOurs).toBeLessThanOrEqual(expectedOurs);
        expect(onlyTheirs).toBeLessThanOrEqual(expectedTheirs);
      },
    );

    it('Alpine edge: known to secdb only, its findings are fixes that secdb names', () => {
      const list = 'alpine/alpine-minirootfs-20240923-x86_64.tar.gz.tsv';
      const edge = expectedInventory(list, 'apk', { id: 'alpine', version: '3.21.0_alpha20240923', rolling: true });
      expect(matchInventory(edge, sameRecords)).toMatchObject({ findings: [], missing: ['Alpine:edge'] });
      const { findings, missing } = matchInventory(edge, allFeeds);
      expect(missing).toEqual([]);
      expect(new Set(findings.map(({ source }) => source))).toEqual(new Set(['alpine-secdb']));
      expect(findings.every(({ fixed }) => fixed !== undefined)).toBe(true);
    });
  },
);

function ecosystemName(type: PackageType): string {
  return ecosystemOf({ type }, undefined) ?? '';
}

/** Packages of an ecosystem, spread over all its names, in versions that records about them name: bounds, where errors are. */
function namedPackages(database: AdvisoryDatabase, type: PackageType): readonly Package[] {
  const ecosystem = ecosystemName(type);
  const keys = [...database.keys()].filter((key) => key.ecosystem === ecosystem);
  const step = Math.max(1, Math.floor(keys.length / PACKAGES));
  return keys
    .filter((_, at) => at % step === 0)
    .flatMap(({ name }) => {
      const versions = database
        .advisoriesFor(ecosystem, name)
        .flatMap(({ ranges, versions: listed }) => [
          ...ranges.flatMap(({ introduced, fixed, lastAffected }) => [introduced, fixed, lastAffected]),
          ...listed.slice(0, 2),
        ]);
      return [...new Set(versions.filter((version) => version !== undefined))].slice(0, VERSIONS).map((version) => {
        const pkg = { type, name, version };
        return { ...pkg, purl: packageUrl(pkg, undefined), path: 'named' };
      });
    });
}

/** `name version record` of everything osv-scanner reports for a list of packages. */
function askAboutPackages(packages: readonly Package[]): ReadonlySet<string> {
  const file = join(folder, 'named.cdx.json');
  const components = packages.map(({ name, version, purl }) => ({ type: 'library', name, version, purl }));
  writeFileSync(file, JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.5', version: 1, components }));
  const report = runScanner([
    'scan',
    'source',
    '-L',
    file,
    '--offline',
    '--format',
    'json',
    '--all-packages',
    '--all-vulns',
  ]);
  return new Set(
    report.results.flatMap(({ packages: found }) =>
      found.flatMap(({ package: { name, version }, groups = [] }) =>
        groups.flatMap(({ ids }) => ids.map((id) => `${name} ${version} ${id}`)),
      ),
    ),
  );
}

async function build(name: string): Promise<AdvisoryDatabase> {
  const out = join(folder, name);
  await buildAdvisoryDatabase({ from: join(folder, 'feeds'), out, clock: systemClock });
  return openAdvisoryDatabase(out);
}

/** `source package, installed version, vulnerability`, once each, sorted: osv-scanner names sources, as the records do. */
function rows(inventory: Inventory, database: AdvisoryDatabase): readonly string[] {
  const { findings } = matchInventory(inventory, database);
  return sorted(findings.map(({ package: pkg, id }) => `${pkg.source?.name ?? pkg.name} ${pkg.version} ${id}`));
}

function askScanner(rootfs: string): readonly string[] {
  const archive = join(folder, 'image.tar');
  writeDockerArchive(dataPath('images', rootfs), archive);
  const args = [
    'scan',
    'image',
    '--archive',
    '--offline',
    '--format',
    'json',
    '--all-packages',
    '--all-vulns',
    archive,
  ];
  const report = runScanner(args);
  return sorted(
    report.results.flatMap(({ packages }) =>
      packages.flatMap(({ package: { name, version }, groups = [] }) =>
        groups.map(({ ids, aliases }) => `${name} ${version} ${canonical([...ids, ...(aliases ?? [])])}`),
      ),
    ),
  );
}

function runScanner(args: readonly string[]): ScannerReport {
  const env = { ...process.env, OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY: join(folder, 'cache') };
  const { status, stdout, stderr } = spawnSync(scanner, args, { env, encoding: 'utf8', maxBuffer: 1e9 });
  // 1 means that there are findings.
  if (status !== 0 && status !== 1) throw new Error(`osv-scanner ended with ${status}: ${stderr}`);
  return JSON.parse(stdout) as ScannerReport;
}

interface ScannerReport {
  readonly results: readonly {
    readonly packages: readonly {
      readonly package: { readonly name: string; readonly version: string };
      readonly groups?: readonly { readonly ids: readonly string[]; readonly aliases?: readonly string[] }[];
    }[];
  }[];
}

/** osv-scanner names records; the vulnerability is the CVE in the record's name or among its aliases. */
function canonical(ids: readonly string[]): string {
  const cve = ids.map((id) => /CVE-\d{4}-\d+$/.exec(id)?.[0]).find((id) => id !== undefined);
  return cve ?? ids.toSorted()[0] ?? '';
}

function sorted(list: readonly string[]): readonly string[] {
  return [...new Set(list)].sort();
}
