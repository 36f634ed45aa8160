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
import { composeInventory } from './compose.ts';
import { DEFAULT_LIMITS } from './model.ts';

/** Rows of a list made by another tool, as objects by column. */
function readTable(path: string): Record<string, string>[] {
  const [header = '', ...lines] = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  const columns = header.split('\t');
  return lines.map((line) => Object.fromEntries(line.split('\t').map((cell, at) => [columns[at] ?? '', cell])));
}

function lines(rows: readonly (readonly (string | undefined)[])[]): string[] {
  return rows.map((row) => row.map((cell) => cell ?? '').join(' ')).sort();
}

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
