import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { PACKAGE_TYPES, type PackageType } from '../../src/model/inventory.ts';
import { dataPath } from '../../test/support/data.ts';
import { writeDockerArchive } from '../../test/support/docker-archive.ts';
import { type ListedPackage, listed } from './facts.ts';

/** An image to measure on, and what is in it by a source that is no scanner. */
export interface TestImage {
  readonly name: string;
  /** Layer of a root file system, or a docker archive already. */
  readonly source: string;
  readonly kind: 'layer' | 'archive';
  readonly expected: readonly ListedPackage[];
}

/** Images of `dev/images/images`; those that are not built are named by the caller. */
const RECIPES = ['alma-8', 'alma-9', 'go-app', 'java-app', 'npm-app', 'python-app', 'ruby-app', 'rust-app'] as const;

const APK = [
  '3.6.5',
  '3.7.3',
  '3.8.5',
  '3.10.9',
  '3.11.13',
  '3.12.12',
  '3.14.10',
  '3.15.11',
  '3.17.10',
  '3.18.9',
  '3.19.4',
  '3.20.3',
];

/** Every image, the real ones of the test data first, or those of the given names. Throws when a made one is not there. */
export function testImages(names?: readonly string[]): readonly TestImage[] {
  const wanted = (name: string): boolean => names?.includes(name) ?? true;
  return [
    ...APK.map((release) => `alpine-minirootfs-${release}-x86_64.tar.gz`)
      .concat('alpine-minirootfs-3.20.3-aarch64.tar.gz', 'alpine-minirootfs-20240923-x86_64.tar.gz')
      .map((file) => given(`alpine/${file}`, 'layer', 'apk')),
    given('docker-archive/alpine-310.tar.gz', 'archive', 'apk'),
    given('docker-archive/alpine-311.tar.gz', 'archive', 'apk'),
    given('debian/debian-12-minbase.tar.gz', 'layer', 'deb'),
    ...['npm-vulnerable-app', 'python-site-packages', 'go-binaries', 'rust-binaries'].map(sharedLayer),
    ...RECIPES.filter(wanted).map(made),
  ].filter(({ name }) => wanted(name));
}

/** A docker archive of the image in a folder. */
export function archiveOf(image: TestImage, folder: string): string {
  const target = join(folder, `${image.name}.tar`);
  if (image.kind === 'layer') writeDockerArchive(image.source, target);
  else writeFileSync(target, gunzipSync(readFileSync(image.source)));
  return target;
}

function given(path: string, kind: TestImage['kind'], type: PackageType): TestImage {
  const rows = rowsOf(dataPath('images/expected', `${path}.tsv`));
  return {
    name: basename(path)
      .replace(/\.tar\.gz$/, '')
      .replace('-minirootfs', ''),
    source: dataPath('images', path),
    kind,
    expected: rows.map((row) => listed(type, row['name'] ?? '', row['version'] ?? '')),
  };
}

const SHARED_TYPES: Readonly<Record<string, PackageType>> = {
  'npm-vulnerable-app': 'npm',
  'python-site-packages': 'pypi',
  'go-binaries': 'golang',
  'rust-binaries': 'cargo',
};

function sharedLayer(name: string): TestImage {
  const type = SHARED_TYPES[name] ?? 'generic';
  const rows = rowsOf(dataPath('images/expected/layers', `${name}.tsv`));
  return {
    name,
    source: dataPath('images/layers', `${name}.tar.gz`),
    kind: 'layer',
    expected: rows.map((row) => listed(type, row['name'] ?? row['module'] ?? '', row['version'] ?? '')),
  };
}

function made(name: string): TestImage {
  const folder = process.env['IMAGES_DIR'] ?? join(homedir(), '.cache/breakwater-images');
  const source = join(folder, `${name}.tar.gz`);
  if (!existsSync(source)) throw new Error(`the image ${name} is not there: build it with dev/images/images ${name}`);
  const lines = readFileSync(join(folder, `${name}.tsv`), 'utf8')
    .trim()
    .split('\n');
  const expected = lines.flatMap((line) => {
    const [word, name = '', version = ''] = line.split('\t');
    const type = PACKAGE_TYPES.find((one) => one === word);
    return type ? [listed(type, name, version)] : [];
  });
  return { name, source, kind: 'layer', expected };
}

function rowsOf(path: string): readonly Readonly<Record<string, string>>[] {
  const [header = '', ...lines] = readFileSync(path, 'utf8').trim().split('\n');
  const names = header.split('\t');
  return lines.map((line) => Object.fromEntries(line.split('\t').map((value, at) => [names[at] ?? '', value])));
}

/** The commit that is measured. */
export function checkout(): string {
  return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim();
}
