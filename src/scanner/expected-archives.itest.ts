import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dataPath, hasData } from '../../test/support/data.ts';
import { makeTar } from '../../test/support/tar.ts';
import { analyseLayer } from './analyse-layer.ts';
import { dotnetCataloger } from './catalogers/dotnet/cataloger.ts';
import { javaCataloger } from './catalogers/java/cataloger.ts';
import { parseManifest } from './catalogers/java/manifest.ts';
import { phpCataloger } from './catalogers/php/cataloger.ts';
import { rubyCataloger } from './catalogers/ruby/cataloger.ts';
import { sbomCataloger } from './catalogers/sbom/cataloger.ts';
import type { Cataloger } from './catalogers/types.ts';
import { composeInventory } from './compose.ts';
import { viewOf } from './file-view.ts';
import type { StatedPackage } from './model.ts';
import { openZip } from './zip/open-zip.ts';

type Row = Readonly<Record<string, string>>;

function readTable(name: string): Row[] {
  const text = readFileSync(dataPath('images', 'expected', 'layers', name), 'utf8');
  const [header = '', ...lines] = text.split('\n').filter(Boolean);
  const columns = header.split('\t');
  return lines.map((line) => Object.fromEntries(line.split('\t').map((cell, at) => [columns[at] ?? '', cell])));
}

function content(...path: string[]): Buffer {
  return readFileSync(dataPath('images', 'layers', ...path));
}

function found(cataloger: Cataloger, path: string, bytes: Buffer): readonly StatedPackage[] {
  expect(cataloger.wants(path), path).toBe(true);
  return cataloger.catalog(path, viewOf(bytes)).packages ?? [];
}

const inTable = (name: string) => (hasData ? [...Map.groupBy(readTable(name), (row) => row['file'] ?? '')] : []);
/** Where an artifact is: the archive, without the file in it that tells of a shaded one. */
const archiveOf = ({ inside = '' }: StatedPackage) => inside.replace(/(?:^|!\/)[^!]*pom\.properties$/, '');
const distinct = (lines: readonly string[]) => [...new Set(lines)].sort();

/** Without the index that other tools ask over the network nothing tells this group. */
const javaName = (row: Row) => (row['evidence']?.includes('online index') ? 'heuristic:heuristic' : row['name']);
/** The list calls an archive in an archive a folder. */
const javaPlace = (row: Row) => (row['path'] ?? '').replace(/\.jar\//g, '.jar!/');
const lastPart = (name: string) => name.slice(name.lastIndexOf(':') + 1);

describe.skipIf(!hasData)('packages of archives and application files equal the lists of independent tools', () => {
  it.each(inTable('java.tsv'))('java: %s', (file, rows) => {
    const packages = found(javaCataloger, `app/${basename(file)}`, content('java', file));
    // Where it is does not stand there for all.
    const withPlace = rows.some((row) => row['path'] !== '');
    expect(
      distinct(packages.map((pkg) => `${pkg.name} ${pkg.version}${withPlace ? ` ${archiveOf(pkg)}` : ''}`)),
    ).toEqual(
      distinct(rows.map((row) => `${javaName(row)} ${row['version']}${withPlace ? ` ${javaPlace(row)}` : ''}`)),
    );
  });

  it.each(inTable('java-pom-properties.tsv'))('every pom.properties with its group: %s', (file, rows) => {
    const packages = found(javaCataloger, `app/${basename(file)}`, content('java', file));
    const known = new Set(packages.map(({ name, version }) => `${name} ${version}`));
    // A hundred archives in each other are named as a gap, see below.
    for (const { groupId, artifactId, version } of file.includes('nested_at_100') ? [] : rows)
      if (groupId) expect(known, file).toContain(`${groupId}:${artifactId} ${version}`);
  });

  it.each(inTable('java-manifests.tsv'))('manifest: %s', (file, [row = {}]) => {
    const { entries } = openZip(viewOf(content('java', file)), { entries: 10_000, bytes: 1024 ** 2 });
    const entry = [...entries].find(({ name }) => name === 'META-INF/MANIFEST.MF');
    const manifest = parseManifest(entry?.read(1024 ** 2) ?? Buffer.alloc(0));
    const columns = Object.keys(row).filter((name) => name.includes('-'));
    expect(columns.map((name) => manifest.get(name.toLowerCase()) ?? '')).toEqual(columns.map((name) => row[name]));
  });

  it.each(inTable('ruby.tsv'))('ruby: %s', (file, [row = {}]) => {
    const packages = found(
      rubyCataloger,
      `usr/lib/ruby/gems/3.2.0/specifications/${basename(file)}`,
      content('ruby', file),
    );
    expect(packages.map(({ name, version }) => [name, version])).toEqual([[row['name'], row['version']]]);
    // The list leaves one out that is given as a text instead of a list, which RubyGems takes.
    if (row['licenses']) expect(packages[0]?.licence).toBe(row['licenses'].replaceAll(',', ' AND '));
  });

  it.each(inTable('php.tsv'))('php: %s', (file, rows) => {
    const packages = found(phpCataloger, file, content('php', file));
    expect(distinct(packages.map((pkg) => `${pkg.name} ${pkg.version} ${pkg.licence}`))).toEqual(
      distinct(rows.map((row) => `${row['name']} ${row['version']?.replace(/^v/, '')} ${row['license']}`)),
    );
  });

  it.each(inTable('dotnet.tsv').filter(([file]) => !file.includes('invalid')))('dotnet: %s', (file, rows) => {
    const bytes = content('dotnet', file);
    const packages = found(dotnetCataloger, `app/${basename(file)}`, bytes);
    const brings = (row: Row) => bringsFiles(bytes, `${row['name']}/${row['version']}`);
    expect(distinct(packages.map((pkg) => `${pkg.name} ${pkg.version}`))).toEqual(
      distinct(
        rows
          .filter((row) => (row['type'] === 'package' || row['type'] === 'runtimepack') && brings(row))
          .map((row) => `${row['name']?.replace('runtimepack.', '')} ${row['version']}`),
      ),
    );
  });

  it('bitnami: what its documents state', () => {
    const rows = readTable('os-bitnami.tsv');
    const file = 'opt/bitnami/postgresql/.spdx-postgresql.spdx';
    const packages = found(sbomCataloger, file, content('os', 'bitnami', file));
    expect(packages.map((pkg) => `${lastPart(pkg.name)} ${pkg.version}`)).toEqual(
      // One name is spelt in another way than its package URL.
      rows.map((row) => `${lastPart(row['name'] ?? '').replace('nss-wrapper', 'nss_wrapper')} ${row['version']}`),
    );
  });

  it('damaged archives are gaps, in the inventory of a layer', async () => {
    const folder = dataPath('images', 'layers', 'java', 'scalibr');
    const jars = readdirSync(folder).filter((name) => name.endsWith('.jar'));
    const layer = makeTar(jars.map((name) => ({ name: `app/${name}`, content: content('java', 'scalibr', name) })));
    const evidence = await analyseLayer(
      (async function* () {
        yield layer;
      })(),
    );
    const { packages, gaps, complete } = composeInventory([{ evidence }]);
    expect(complete).toBe(true);
    expect(packages.map(({ purl, path }) => `${purl} ${path}`)).toContain(
      'pkg:maven/com.some.anotherpackage/another-package-name@3.2.1 app/complex.jar!/BOOT-INF/lib/inner.jar',
    );
    expect(distinct(gaps.map(({ path }) => path ?? ''))).toEqual(['app/invalid_jar.jar', 'app/nested_at_100.jar']);
  });
});

/** Read independently of the product's way: an entry of any target with something in it besides dependencies. */
function bringsFiles(bytes: Buffer, key: string): boolean {
  const { targets = {} } = JSON.parse(bytes.toString('utf8')) as { targets?: Record<string, Record<string, object>> };
  const entries = Object.values(targets).flatMap((target) => target[key] ?? []);
  const assets = entries.flatMap((entry) =>
    Object.entries(entry).filter(([kind]) => kind !== 'dependencies' && kind !== 'compile'),
  );
  return entries.length === 0 || assets.some(([, files]) => Object.keys(files as object).length > 0);
}
