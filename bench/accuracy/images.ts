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
].map((release) => `${release}-x86_64`);

/** Images of the test data: where they lie, what they are, the packages to expect. */
const GIVEN: readonly (readonly [path: string, kind: TestImage['kind'], type: PackageType])[] = [
  ...[...APK, '3.20.3-aarch64', '20240923-x86_64'].map(
    (release) => [`alpine/alpine-minirootfs-${release}.tar.gz`, 'layer', 'apk'] as const,
  ),
  ['docker-archive/alpine-310.tar.gz', 'archive', 'apk'],
  ['docker-archive/alpine-311.tar.gz', 'archive', 'apk'],
  ['debian/debian-12-minbase.tar.gz', 'layer', 'deb'],
];

const SHARED_TYPES: Readonly<Record<string, PackageType>> = {
  'npm-vulnerable-app': 'npm',
  'python-site-packages': 'pypi',
  'go-binaries': 'golang',
  'rust-binaries': 'cargo',
};

/** Names of all images, the real ones of the test data first. */
export function imageNames(): readonly string[] {
  return [...GIVEN.map(([path]) => nameOf(path)), ...Object.keys(SHARED_TYPES), ...RECIPES];
}

/** Those made images among the given names, or among all, that nobody has built here. */
export function notBuilt(names: readonly string[] = imageNames()): readonly string[] {
  return RECIPES.filter((name) => names.includes(name) && !existsSync(madeSource(name)));
}

/** Every image, or those of the given names. */
export function testImages(names: readonly string[] = imageNames()): readonly TestImage[] {
  return [
    ...GIVEN.filter(([path]) => names.includes(nameOf(path))).map(([path, kind, type]) => given(path, kind, type)),
    ...Object.keys(SHARED_TYPES)
      .filter((name) => names.includes(name))
      .map(sharedLayer),
    ...RECIPES.filter((name) => names.includes(name)).map(made),
  ];
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
    name: nameOf(path),
    source: dataPath('images', path),
    kind,
    expected: rows.map((row) => listed(type, row['name'] ?? '', row['version'] ?? '')),
  };
}

function nameOf(path: string): string {
  return basename(path, '.tar.gz').replace('-minirootfs', '');
}

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

function madeSource(name: string): string {
  const folder = process.env['IMAGES_DIR'] ?? join(homedir(), '.cache/breakwater-images');
  return join(folder, `${name}.tar.gz`);
}

function made(name: string): TestImage {
  const source = madeSource(name);
  const lines = readFileSync(source.replace(/\.tar\.gz$/, '.tsv'), 'utf8')
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
