import { createReadStream, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dataPath, hasData } from '../../test/support/data.ts';
import { makeTar } from '../../test/support/tar.ts';
import type { Package, PackageType } from '../model/inventory.ts';
import { analyseLayer } from './analyse-layer.ts';
import { parseCondaMeta } from './catalogers/conda/parse-conda-meta.ts';
import { pythonCataloger } from './catalogers/python/cataloger.ts';
import { composeInventory } from './compose.ts';
import { viewOf } from './file-view.ts';

/** Rows of a list made by another tool, as objects by column. */
function rowsOf(name: string): readonly Record<string, string>[] {
  const [header = '', ...lines] = readFileSync(dataPath('images', 'expected', 'layers', name), 'utf8')
    .split('\n')
    .filter(Boolean);
  const columns = header.split('\t');
  return lines.map((line) => Object.fromEntries(line.split('\t').map((cell, at) => [columns[at] ?? '', cell])));
}

async function inventoryOf(archive: string, type: PackageType): Promise<readonly Package[]> {
  const evidence = await analyseLayer(createReadStream(dataPath('images', 'layers', archive)));
  const { packages, gaps, complete } = composeInventory([{ evidence }]);
  expect([complete, gaps]).toEqual([true, []]);
  expect(packages.filter((pkg) => pkg.type !== type)).toEqual([]);
  return packages;
}

const sorted = (rows: readonly (readonly (string | undefined)[])[]) => rows.map((row) => row.join(' ')).sort();
const ofPackages = (packages: readonly Package[]) => sorted(packages.map((pkg) => [pkg.path, pkg.name, pkg.version]));

describe.skipIf(!hasData)('language packages equal those of independent tools', () => {
  it('Python: what pip installed, by importlib.metadata', async () => {
    const packages = await inventoryOf('python-site-packages.tar.gz', 'pypi');
    const rows = rowsOf('python-site-packages.tsv');
    expect(ofPackages(packages)).toEqual(
      sorted(rows.map((row) => [`${row['path']}/METADATA`, row['name'], row['version']])),
    );
  });

  it.each(hasData ? rowsOf('python.tsv').filter((row) => !row['file']?.endsWith('.whl')) : [])(
    'Python: $file, by its email parser',
    (row) => {
      const path = row['file'] ?? '';
      const file = viewOf(readFileSync(dataPath('images', 'layers', 'python', path)));
      const { packages = [], problems = [] } = pythonCataloger.catalog(path, file);
      const whole = row['name'] !== '' && row['version'] !== '';
      expect(packages.map(({ name, version }) => [name, version])).toEqual(
        whole ? [[row['name'], row['version']]] : [],
      );
      expect(problems).toHaveLength(whole ? 0 : 1);
    },
  );

  it('Go: go version -m', async () => {
    const packages = await inventoryOf('go-binaries.tar.gz', 'golang');
    const rows = rowsOf('go-binaries.tsv');
    expect(ofPackages(packages)).toEqual(
      sorted(
        rows.map((row) => {
          const version = row['kind'] === 'stdlib' ? row['version']?.replace(/^go/, '') : row['version'];
          // `-X main.version=v1.0.0` stands in the build settings, see the .buildinfo.txt beside the list.
          const flagged = row['kind'] === 'main' && row['path']?.includes('ldflags-version');
          return [row['path'], row['module'], flagged ? 'v1.0.0' : version];
        }),
      ),
    );
  });

  it('Rust: zlib and JSON of the section', async () => {
    const packages = await inventoryOf('rust-binaries.tar.gz', 'cargo');
    const rows = rowsOf('rust-binaries.tsv').filter((row) => row['kind'] !== 'build');
    expect(ofPackages(packages)).toEqual(sorted(rows.map((row) => [row['path'], row['name'], row['version']])));
  });

  it('conda: jq', () => {
    const rows = rowsOf('os-conda.tsv');
    const folder = dataPath('images', 'layers', 'os', 'conda', 'conda-meta');
    const found = readdirSync(folder).flatMap((name) =>
      parseCondaMeta(readFileSync(join(folder, name))).packages.map((pkg) => [pkg.name, pkg.version]),
    );
    expect(sorted(found)).toEqual(sorted(rows.map((row) => [row['name'], row['version']])));
  });

  it('npm: licences as the package files have them', async () => {
    const packages = await inventoryOf('npm-vulnerable-app.tar.gz', 'npm');
    expect(sorted(packages.map((pkg) => [pkg.path, pkg.licence]))).toEqual(
      sorted(rowsOf('npm-vulnerable-app.tsv').map((row) => [row['path'], row['license'] || undefined])),
    );
  });
});

describe.skipIf(!hasData)('what a package of the distribution owns', () => {
  it('is not reported again: programs and Python projects', async () => {
    const list = '/.\n/usr\n/usr/bin\n/bin/app\n/usr/lib/python3/dist-packages/six-1.16.0.egg-info\n';
    const six = 'Name: six\nVersion: 1.16.0\n';
    const program = await programWithModules();
    const evidence = await analyseLayer(
      (async function* () {
        yield makeTar([
          { name: 'bin', type: 'symlink', link: 'usr/bin' },
          { name: 'usr/bin/app', content: program },
          { name: 'usr/local/bin/app', content: program },
          { name: 'usr/lib/python3/dist-packages/six-1.16.0.egg-info', content: six },
          { name: 'usr/local/lib/python3.11/site-packages/six-1.16.0.egg-info', content: six },
          {
            name: 'var/lib/dpkg/status',
            content: 'Package: app\nStatus: install ok installed\nVersion: 1\nMaintainer: Debian <a@debian.org>\n',
          },
          { name: 'var/lib/dpkg/info/app.list', content: list },
        ]);
      })(),
    );
    const paths = composeInventory([{ evidence }]).packages.map((pkg) => pkg.path);
    expect([...new Set(paths)].sort()).toEqual([
      'usr/local/bin/app',
      'usr/local/lib/python3.11/site-packages/six-1.16.0.egg-info',
      'var/lib/dpkg/status',
    ]);
  });
});

/** A Go program of the test data. */
async function programWithModules(): Promise<Buffer> {
  const { gunzipSync } = await import('node:zlib');
  const tar = gunzipSync(readFileSync(dataPath('images', 'layers', 'go-binaries.tar.gz')));
  const at = tar.indexOf('usr/local/bin/go1.22-ldflags-version.elf');
  const size = Number.parseInt(tar.toString('latin1', at + 124, at + 135), 8);
  return tar.subarray(at + 512, at + 512 + size);
}
