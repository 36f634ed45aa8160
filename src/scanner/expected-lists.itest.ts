import { createReadStream, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { dataPath, hasData } from '../../test/support/data.ts';
import { makeTar } from '../../test/support/tar.ts';
import type { Package } from '../model/inventory.ts';
import { analyseLocalTarget } from './analyse-image.ts';
import { analyseLayer } from './analyse-layer.ts';
import { parseInstalled } from './catalogers/apk/parse-installed.ts';
import { parseStatus } from './catalogers/dpkg/parse-status.ts';
import { catalogerFor } from './catalogers/index.ts';
import { parseHeader } from './catalogers/rpm/header.ts';
import { packageOf } from './catalogers/rpm/package.ts';
import { composeInventory } from './compose.ts';
import { viewOf } from './file-view.ts';
import { DEFAULT_LIMITS, type StatedPackage } from './model.ts';

/** Rows of a list made by another tool, as objects by column. */
function readTable(path: string): Record<string, string>[] {
  const [header = '', ...lines] = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  const columns = header.split('\t');
  return lines.map((line) => Object.fromEntries(line.split('\t').map((cell, at) => [columns[at] ?? '', cell])));
}

function lines(rows: readonly (readonly (string | undefined)[])[]): string[] {
  return rows.map((row) => row.map((cell) => cell ?? '').join(' ')).sort();
}

/** What the rpm lists say of a package, in the words of the inventory. */
function rpmRow(row: Readonly<Record<string, string>>): string[] {
  const epoch = row['epoch'] ? `${row['epoch']}:` : '';
  const [, name = '', version = ''] = /^(.+)-([^-]+-[^-]+)\.src\.rpm$/.exec(row['sourcerpm'] ?? '') ?? [];
  return [
    row['name'] ?? '',
    `${epoch}${row['version']}-${row['release']}`,
    row['arch'] ?? '',
    name,
    `${epoch}${version}`,
  ];
}

function rpmLine(pkg: StatedPackage): string[] {
  return [pkg.name, pkg.version, pkg.arch ?? '', pkg.source?.name ?? pkg.name, pkg.source?.version ?? pkg.version];
}

/** Every rpm database, where a system would have it, and the list of it. */
const RPM_DATABASES = [
  ['cbl-mariner-2.0/rpmdb.sqlite', 'var/lib/rpm/rpmdb.sqlite', 'cbl-mariner-2.0'],
  ['sle15-bci/Packages.db', 'usr/lib/sysimage/rpm/Packages.db', 'sle15-bci'],
  ['libuuid-el8/Packages', 'var/lib/rpm/Packages', 'libuuid-el8'],
  ['dive-bdb/Packages', 'var/lib/rpm/Packages', 'dive-bdb'],
  ['epoch-bdb/Packages', 'var/lib/rpm/Packages', 'epoch-bdb'],
  ['derived/cbl-mariner-2.0.bdb-little-endian.Packages.gz', 'var/lib/rpm/Packages', 'cbl-mariner-2.0'],
  ['derived/sle15-bci.bdb-big-endian.Packages.gz', 'var/lib/rpm/Packages', 'sle15-bci'],
  ['derived/sle15-bci.bdb-little-endian.Packages.gz', 'var/lib/rpm/Packages', 'sle15-bci'],
  ['derived/sle15-bci.rpmdb.sqlite.gz', 'usr/share/rpm/rpmdb.sqlite', 'sle15-bci'],
] as const;

/** Lists of files of other package managers and where they would lie. */
const OTHER_LISTS = [
  ['os-chisel.tsv', 'var/lib/chisel/manifest.wall'],
  ['os-opkg.tsv', 'usr/lib/opkg/status'],
  ['os-pacman.tsv', 'var/lib/pacman/local/x-1/desc'],
] as const;
/** Lists that stand elsewhere, or nowhere, with the reason. */
const NOT_HERE: Readonly<Record<string, string>> = {
  'os-apk.tsv': 'compared on its own below',
  'os-dpkg.tsv': 'compared on its own below',
  'os-conda.tsv': 'conda installs for a language, not for the system',
  'os-bitnami.tsv': 'these lists are SBOMs',
  'os-other.tsv':
    'Container-Optimized OS and Portage: no registered type of package URL, and no advisories to compare with',
};
/** Rows of the lists that the inventory does not have, with the reason. */
const NOT_LISTED: Readonly<Record<string, string>> = {
  'pacman/scalibr-invalid_value_eof.desc': 'it has no version: a problem of the file, not a package',
  'pacman/var/lib/pacman/local/corrupt-0.2.1-3/desc': 'it has neither name nor version: a problem of the file',
};

/** What a file of a distroless image says. */
const readFragment = (name: string) =>
  catalogerFor(name)?.catalog(name, viewOf(readFileSync(dataPath('images', 'layers', 'os', 'distroless', name))));

const sourceName = (pkg: Package) => pkg.source?.name ?? pkg.name;
const sourceVersion = (pkg: Package) => pkg.source?.version ?? pkg.version;

async function packagesOf(path: string): Promise<readonly Package[]> {
  const analysed = await analyseLocalTarget(path);
  if (!analysed) throw new Error(`no ${path}`);
  expect(analysed.inventory.complete).toBe(true);
  return analysed.inventory.packages;
}

describe.skipIf(!hasData)('package lists equal those of independent tools', () => {
  const expected = hasData ? dataPath('images', 'expected') : '';
  const tablesIn = (folder: string) =>
    hasData ? readdirSync(join(expected, folder)).filter((name) => name.endsWith('.tsv')) : [];

  it.each([
    ...tablesIn('alpine').map((name) => join('alpine', name)),
    ...tablesIn('docker-archive').map((name) => join('docker-archive', name)),
  ])('apk: %s', async (table) => {
    const packages = await packagesOf(dataPath('images', table.replace(/\.tsv$/, '')));
    const rows = readTable(join(expected, table));
    expect(lines(packages.map((pkg) => [pkg.name, pkg.version, pkg.arch, sourceName(pkg)]))).toEqual(
      lines(rows.map((row) => [row['name'], row['version'], row['arch'], row['origin']])),
    );
  });

  it.each(hasData ? readTable(join(expected, 'os.tsv')) : [])('system: $file', async (row) => {
    const analysed = await analyseLocalTarget(dataPath('images', row['file'] ?? ''));
    const { distribution, packages } = analysed?.inventory ?? {};
    expect([distribution?.id ?? '', distribution?.version ?? '', packages?.length]).toEqual([
      row['os_id'],
      row['os_version'],
      Number(row['packages']),
    ]);
    // The list adds Debian's point release, from etc/debian_version.
    expect(row['pretty_name']?.replace(/ \(\d+\.\d+\)$/, '')).toBe(distribution?.prettyName ?? '');
  });

  it.each(tablesIn('busybox'))('nothing: busybox %s', async (table) => {
    expect(await packagesOf(dataPath('images', 'busybox', basename(table, '.tsv')))).toEqual([]);
  });

  it.each(tablesIn('debian'))('dpkg: %s', async (table) => {
    const packages = await packagesOf(dataPath('images', 'debian', basename(table, '.tsv')));
    const rows = readTable(join(expected, 'debian', table)).filter((row) => row['status'] === 'installed');
    expect(
      lines(packages.map((pkg) => [pkg.name, pkg.version, pkg.arch, sourceName(pkg), sourceVersion(pkg)])),
    ).toEqual(
      lines(rows.map((row) => [row['name'], row['version'], row['arch'], row['source'], row['source_version']])),
    );
  });

  it('npm: an installed application', async () => {
    const packages = await packagesOf(dataPath('images', 'layers', 'npm-vulnerable-app.tar.gz'));
    const rows = readTable(join(expected, 'layers', 'npm-vulnerable-app.tsv'));
    expect(lines(packages.map((pkg) => [pkg.name, pkg.version, pkg.path]))).toEqual(
      lines(rows.map((row) => [row['name'], row['version'], row['path']])),
    );
  });

  it.each(tablesIn('whiteouts').filter((name) => name.startsWith('made-npm')))(
    'npm under a whiteout layer: %s',
    async (table) => {
      const layers = ['layers/npm-vulnerable-app.tar.gz', `whiteouts/${table.replace('.packages.tsv', '.tar.gz')}`];
      const stack = layers.map((name) => gunzipSync(readFileSync(dataPath('images', name))));
      const evidence = await Promise.all(
        stack.map((bytes) =>
          analyseLayer(
            (async function* () {
              yield bytes;
            })(),
          ),
        ),
      );
      const { packages } = composeInventory(evidence.map((one) => ({ evidence: one })));
      expect(lines(packages.map((pkg) => [pkg.name, pkg.version, pkg.path]))).toEqual(
        lines(readTable(join(expected, 'whiteouts', table)).map((row) => [row['name'], row['version'], row['path']])),
      );
    },
  );

  it('apk databases of other scanners', () => {
    const rows = readTable(join(expected, 'layers', 'os-apk.tsv'));
    for (const file of new Set(rows.map((row) => row['file'] ?? ''))) {
      const { packages } = parseInstalled(readFileSync(dataPath('images', 'layers', 'os', file)));
      expect(lines(packages.map((pkg) => [pkg.name, pkg.version, pkg.arch])), file).toEqual(
        lines(rows.filter((row) => row['file'] === file).map((row) => [row['name'], row['version'], row['arch']])),
      );
    }
  });

  it('dpkg databases of other scanners', () => {
    const present = new Set(['installed', 'unpacked']);
    const rows = readTable(join(expected, 'layers', 'os-dpkg.tsv')).filter((row) => row['name'] !== 'ERROR');
    for (const file of new Set(rows.map((row) => row['file'] ?? ''))) {
      const { packages } = parseStatus(readFileSync(dataPath('images', 'layers', 'os', file)), { fragment: false });
      const wanted = rows.filter((row) => row['file'] === file && present.has(row['status'] ?? ''));
      expect(
        lines(
          packages.map((pkg) => [
            pkg.name,
            pkg.version,
            pkg.arch,
            pkg.source?.name ?? pkg.name,
            pkg.source?.version ?? pkg.version,
          ]),
        ),
        file,
      ).toEqual(
        lines(wanted.map((row) => [row['name'], row['version'], row['arch'], row['source'], row['source_version']])),
      );
    }
  });

  it.each(RPM_DATABASES)('rpm: %s', async (file, path, table) => {
    const stored = readFileSync(dataPath('images', 'rpmdb', file));
    const content = file.endsWith('.gz') ? gunzipSync(stored) : stored;
    const evidence = await analyseLayer(
      (async function* () {
        yield makeTar([{ name: path, content }]);
      })(),
    );
    const { packages, gaps } = composeInventory([{ evidence }]);
    const rows = readTable(join(expected, 'rpmdb', `${table}.tsv`));
    expect(lines(packages.map(rpmLine))).toEqual(lines(rows.map(rpmRow)));
    expect(gaps).toEqual([]);
  });

  it('rpm: the licences of SLE 15, from a list of another reader', () => {
    const file = viewOf(readFileSync(dataPath('images', 'rpmdb', 'sle15-bci', 'Packages.db')));
    const { packages = [] } = catalogerFor('var/lib/rpm/Packages.db')?.catalog('var/lib/rpm/Packages.db', file) ?? {};
    const rows = readTable(dataPath('images', 'package-lists', 'go-rpmdb', 'sle15-bci.tsv'));
    expect(lines(packages.map((pkg) => [...rpmLine(pkg), pkg.licence]))).toEqual(
      lines(rows.map((row) => [...rpmRow(row), row['license']])),
    );
  });

  it('rpm: a database without a table of packages is a problem, not an empty system', () => {
    const file = viewOf(readFileSync(dataPath('images', 'rpmdb', 'empty-sqlite', 'rpmdb.sqlite')));
    expect(readTable(join(expected, 'rpmdb', 'empty-sqlite.tsv'))).toEqual([]);
    expect(catalogerFor('var/lib/rpm/rpmdb.sqlite')?.catalog('var/lib/rpm/rpmdb.sqlite', file)).toEqual({
      packages: [],
      owned: [],
      problems: ['it has no table Packages'],
    });
  });

  it.each(hasData ? readTable(join(expected, 'rpmdb', 'header-blob.tsv')) : [])('rpm header: $file', (row) => {
    const header = parseHeader(readFileSync(dataPath('images', 'rpmdb', 'header-blob', row['file'] ?? '')));
    const stated = typeof header === 'string' ? header : packageOf(header, 1000);
    expect(typeof stated === 'string' ? stated : rpmLine(stated.pkg)).toEqual(rpmRow(row));
  });

  it.each(OTHER_LISTS)('databases of other package managers: %s', (list, path) => {
    const rows = readTable(join(expected, 'layers', list));
    for (const name of new Set(rows.map((row) => row['file'] ?? ''))) {
      const found = catalogerFor(path)?.catalog(path, viewOf(readFileSync(dataPath('images', 'layers', 'os', name))));
      const wanted = rows.filter((row) => row['file'] === name && !(name in NOT_LISTED));
      expect(lines((found?.packages ?? []).map((pkg) => [pkg.name, pkg.version, pkg.arch])), name).toEqual(
        lines(wanted.map((row) => [row['name'], row['version'], row['arch']])),
      );
      expect(found?.problems?.length ?? 0, name).toBe(name in NOT_LISTED ? 1 : 0);
      for (const { base, name: pkgName } of wanted.map((row) => ({ base: row['base'], name: row['name'] })))
        if (base) expect(found?.packages?.find((pkg) => pkg.name === pkgName)?.source?.name ?? pkgName).toBe(base);
    }
  });

  it('has every list of system packages, or the reason why not', () => {
    const lists = tablesIn('layers').filter((name) => name.startsWith('os-'));
    expect(lists.sort()).toEqual([...OTHER_LISTS.map(([list]) => list), ...Object.keys(NOT_HERE)].sort());
    const databases = RPM_DATABASES.map(([, , table]) => `${table}.tsv`);
    expect(tablesIn('rpmdb')).toEqual([...new Set([...databases, 'empty-sqlite.tsv', 'header-blob.tsv'])].sort());
  });

  it('dpkg: a fragment of a distroless image', () => {
    const path = 'var/lib/dpkg/status.d/libsqlite3-0';
    expect(readFragment(path)).toMatchObject({
      packages: [
        {
          name: 'libsqlite3-0',
          version: '3.34.1-3',
          arch: 'arm64',
          source: { name: 'sqlite3', version: '3.34.1-3' },
        },
      ],
      problems: [],
    });
    expect(readFragment(`${path}.md5sums`)).toEqual({ owned: ['usr/lib/aarch64-linux-gnu/libsqlite3.so.0.8.6'] });
  });

  const oddLayers = ['odd-tars', 'whiteouts'].flatMap((folder) =>
    hasData ? readdirSync(dataPath('images', folder)).map((name) => `${folder}/${name}`) : [],
  );
  it.each(oddLayers)('reads the odd tar %s to its end', async (name) => {
    const bytes = readFileSync(dataPath('images', name));
    const evidence = await analyseLayer(
      (async function* () {
        yield bytes;
      })(),
    );
    // The one package is what the layer itself brings.
    const packages = name.includes('opaque-node_modules') ? ['minimist'] : [];
    expect(composeInventory([{ evidence }]).packages.map((pkg) => pkg.name)).toEqual(packages);
    expect([evidence.complete, evidence.gaps]).toEqual([true, []]);
  });

  it('removes the apk database with a layer over any Alpine', async () => {
    const paths = ['alpine/alpine-minirootfs-3.20.3-x86_64.tar.gz', 'whiteouts/made-apk-remove-db.tar.gz'];
    const evidence = await Promise.all(paths.map((path) => analyseLayer(createReadStream(dataPath('images', path)))));
    const inventory = composeInventory(evidence.map((one) => ({ evidence: one })));
    expect(inventory).toMatchObject({ packages: [], complete: true, distribution: { id: 'alpine' } });
  });
});

describe('hostile layers', () => {
  it('reads a hundred thousand entries', async () => {
    const items = Array.from({ length: 100_000 }, (_, at) => ({ name: `d${at % 100}/f${at}` }));
    const evidence = await analyseLayer(
      (async function* () {
        yield makeTar(items);
      })(),
    );
    expect(evidence.complete).toBe(true);
    expect(composeInventory([{ evidence }]).packages).toEqual([]);
  });

  it('stops at the limits and says so', async () => {
    const limits = { ...DEFAULT_LIMITS, entries: 10, fileBytes: 100 };
    const items = Array.from({ length: 50 }, (_, at) => ({ name: `f${at}` }));
    const many = await analyseLayer(
      (async function* () {
        yield makeTar(items);
      })(),
      { limits },
    );
    expect([many.complete, many.gaps[0]?.kind]).toEqual([false, 'limit']);
    const database = { name: 'lib/apk/db/installed', content: 'P:a\nV:1\n\n'.repeat(50) };
    const large = await analyseLayer(
      (async function* () {
        yield makeTar([database]);
      })(),
      { limits },
    );
    const inventory = composeInventory([{ evidence: large }]);
    expect(inventory.gaps[0]).toMatchObject({ kind: 'limit', path: 'lib/apk/db/installed' });
    expect(inventory.complete).toBe(false);
  });
});
