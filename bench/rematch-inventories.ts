import { readFileSync } from 'node:fs';
import type { Distribution, Inventory, Package, PackageType } from '../src/model/inventory.ts';
import { packageUrl } from '../src/scanner/purl.ts';
import { dataPath } from '../test/support/data.ts';

type Row = Readonly<Record<string, string>>;
type Known = Omit<Package, 'purl' | 'path'>;

/** A real system, by the list of packages that somebody made of it. */
const SYSTEMS: readonly (readonly [list: string, type: PackageType, distribution: Partial<Distribution>])[] = [
  ['expected/alpine/alpine-minirootfs-3.20.3-x86_64.tar.gz.tsv', 'apk', { id: 'alpine', version: '3.20.3' }],
  ['expected/alpine/alpine-minirootfs-3.19.4-x86_64.tar.gz.tsv', 'apk', { id: 'alpine', version: '3.19.4' }],
  ['expected/alpine/alpine-minirootfs-3.17.10-x86_64.tar.gz.tsv', 'apk', { id: 'alpine', version: '3.17.10' }],
  ['expected/debian/debian-12-minbase.tar.gz.tsv', 'deb', { id: 'debian', version: '12' }],
  ['package-lists/trivy/debian-buster.tsv', 'deb', { id: 'debian', version: '10' }],
  ['package-lists/claircore/ubuntu-18.04.3.tsv', 'deb', { id: 'ubuntu', version: '18.04' }],
  ['package-lists/claircore/ubi8-amd64.tsv', 'rpm', { id: 'rhel', version: '8.6' }],
  ['package-lists/claircore/ubi9-httpd-24-amd64.tsv', 'rpm', { id: 'rhel', version: '9.2' }],
  ['package-lists/go-rpmdb/rockylinux-9.tsv', 'rpm', { id: 'rocky', version: '9.3' }],
];
const LANGUAGES: readonly (readonly [list: string, type: PackageType])[] = [
  ['expected/layers/npm-vulnerable-app.tsv', 'npm'],
  ['expected/layers/python.tsv', 'pypi'],
  ['expected/layers/python-site-packages.tsv', 'pypi'],
  ['expected/layers/java.tsv', 'maven'],
  ['expected/layers/dotnet.tsv', 'nuget'],
  ['expected/layers/go-binaries.tsv', 'golang'],
  ['expected/layers/ruby.tsv', 'gem'],
  ['expected/layers/php.tsv', 'composer'],
];

/**
 * So many inventories of about 100 to 350 packages: real systems with a part left out, and real packages of languages, each in one of
 * several versions. The same for every run.
 */
export function* inventories(count: number): Generator<Inventory> {
  const random = randomNumbers(42);
  const systems = SYSTEMS.map(([list, type, distribution]) => ({
    distribution: { idLike: [], rolling: false, id: '', ...distribution },
    packages: rowsOf(list).flatMap((row) => systemPackage(row, type)),
  }));
  const pool = LANGUAGES.flatMap(([list, type]) => rowsOf(list).flatMap((row) => languagePackage(row, type)));
  for (let number = 0; number < count; number += 1) {
    const system = systems[number % systems.length];
    if (!system) return;
    const { distribution } = system;
    const own = system.packages.filter(() => random() < 0.95);
    const wanted = Math.max(0, 100 + Math.floor(random() ** 2 * 400) - own.length);
    const drawn = new Map<string, Known>();
    for (let tries = 0; tries < wanted; tries += 1) {
      const pkg = varied(pool[Math.floor(random() * pool.length)], random);
      if (pkg) drawn.set(`${pkg.type} ${pkg.name}`, pkg);
    }
    const others = [...drawn.values()];
    yield {
      analyser: 'bench',
      distribution,
      packages: [...own, ...others].map((pkg, at) => ({
        ...pkg,
        purl: packageUrl(pkg, distribution),
        path: at < own.length ? 'database' : `srv/app-${number}/${at}`,
      })),
      gaps: [],
      complete: true,
    };
  }
}

/** Three patch versions of everything, so that lists differ. */
function varied(pkg: Known | undefined, random: () => number): Known | undefined {
  if (!pkg) return undefined;
  return { ...pkg, version: pkg.version.replace(/\d$/, String(Math.floor(random() * 3))) };
}

function systemPackage(row: Row, type: PackageType): Known[] {
  const { name = '', arch } = row;
  if (name === '') return [];
  const source = row['origin'] ?? row['source'] ?? row['srpm_name'];
  const own = evr(row['epoch'], row['version'] ?? '', row['release']);
  const [, sourceName, sourceVersion] = /^(.+)-([^-]+-[^-]+)\.src\.rpm$/.exec(row['sourcerpm'] ?? '') ?? [];
  const ofSource =
    sourceVersion ?? (evr(row['source_epoch'], row['source_version'] ?? '', row['source_release']) || own);
  const named = sourceName ?? source;
  return [
    {
      type,
      name,
      version: own,
      ...(arch ? { arch } : {}),
      ...(named ? { source: { name: named, version: ofSource } } : {}),
    },
  ];
}

function evr(epoch: string | undefined, version: string, release: string | undefined): string {
  return `${epoch ? `${epoch}:` : ''}${version}${release ? `-${release}` : ''}`;
}

function languagePackage(row: Row, type: PackageType): Known[] {
  const { name = row['module'] ?? '', version = '' } = row;
  return name === '' || version === '' || version === '(devel)'
    ? []
    : [{ type, name, version: version.replace(/^go/, '') }];
}

function rowsOf(list: string): readonly Row[] {
  const [header = '', ...lines] = readFileSync(dataPath('images', list), 'utf8').trim().split('\n');
  const names = header.split('\t');
  return lines.map((line) => Object.fromEntries(line.split('\t').map((value, at) => [names[at] ?? '', value])));
}

/** Numbers from 0 to 1 that look random and are the same for one seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
