import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gunzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { catalogerFor, sniffersFor } from '../../src/scanner/catalogers/index.ts';
import { makeBdb, makeHeader, makeNdb, makeSqlite } from '../../src/scanner/catalogers/rpm/rpm.testing.ts';
import { SNIFFED_BYTES } from '../../src/scanner/catalogers/types.ts';
import { openLayer } from '../../src/scanner/layers/open-layer.ts';
import { readTar } from '../../src/scanner/layers/tar-reader.ts';
import { dataPath, hasData } from '../../test/support/data.ts';
import type { Sample } from './target.ts';

const LARGEST = 1024 * 1024;
const MOST_FOR_ONE = 12;

/** Files of the test data below a folder, small ones first; none when there is no test data. */
export function dataFiles(folder: string, fits: (path: string) => boolean, most = MOST_FOR_ONE): Sample[] {
  if (!hasData) return [];
  const root = dataPath(folder);
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((name) => join(root, name))
    .filter((path) => statSync(path).isFile() && fits(path))
    .sort((a, b) => statSync(a).size - statSync(b).size)
    .slice(0, most)
    .map((path) => ({ path: relative(root, path), bytes: readFileSync(path) }));
}

let harvested: Promise<ReadonlyMap<string, readonly Sample[]>> | undefined;

/** Files that catalogers want: those of the test data's images, and made ones; by the cataloger's name. */
export function catalogerSamples(): Promise<ReadonlyMap<string, readonly Sample[]>> {
  harvested ??= harvest();
  return harvested;
}

async function harvest(): Promise<ReadonlyMap<string, readonly Sample[]>> {
  const found = new Map<string, Sample[]>();
  const keep = ({ path, bytes }: Sample): void => {
    const cataloger =
      catalogerFor(path) ?? sniffersFor(path).find(({ sniff }) => sniff?.wants(bytes.subarray(0, SNIFFED_BYTES)));
    if (!cataloger || bytes.length > LARGEST || bytes.length === 0) return;
    const samples = found.get(cataloger.name) ?? [];
    if (samples.length < MOST_FOR_ONE) found.set(cataloger.name, [...samples, { path, bytes }]);
  };
  for (const sample of MADE) keep(sample);
  for (const sample of dataFiles('images', (path) => !/\.tar(?:\.gz)?$/.test(path), 2000)) {
    const plain = sample.path.endsWith('.gz')
      ? { path: sample.path.slice(0, -3), bytes: gunzipSync(sample.bytes) }
      : sample;
    keep(plain);
    keep({ path: `usr/lib/ruby/gems/3.0.0/specifications/${plain.path.split('/').at(-1) ?? ''}`, bytes: plain.bytes });
    keep({ path: `var/lib/rpm/${plain.path.split(/[/.]/).at(-1) ?? ''}`, bytes: plain.bytes });
    keep({ path: 'var/lib/rpm/rpmdb.sqlite', bytes: plain.path.endsWith('sqlite') ? plain.bytes : Buffer.alloc(0) });
    keep({
      path: 'var/lib/rpm/Packages.db',
      bytes: plain.path.endsWith('Packages.db') ? plain.bytes : Buffer.alloc(0),
    });
  }
  for (const archive of dataFiles('images/layers', (path) => path.endsWith('.tar.gz'), 20)) {
    const { reader, close } = openLayer(pieces(archive.bytes), 1e9);
    for await (const entry of readTar(reader))
      if (entry.kind === 'file' && entry.size < LARGEST)
        keep({ path: entry.name.replace(/^\.?\//, ''), bytes: Buffer.from(await entry.read(entry.size)) });
    await close();
  }
  return found;
}

/** The bytes as a source of pieces. */
export async function* pieces(bytes: Buffer, size = 100_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const HEADERS = ['bash', 'zlib', 'openssl'].map((name) =>
  makeHeader({
    1000: name,
    1001: '1.0',
    1002: '1.el9',
    1011: 'Red Hat, Inc.',
    1116: [0],
    1117: ['package.json'],
    1118: ['/usr/lib/node_modules/a/'],
  }),
);

const text = (path: string, content: string): Sample => ({ path, bytes: Buffer.from(content) });

const MADE: readonly Sample[] = [
  { path: 'var/lib/rpm/rpmdb.sqlite', bytes: makeSqlite(HEADERS) },
  { path: 'var/lib/rpm/rpmdb.sqlite', bytes: makeSqlite(HEADERS, 512) },
  { path: 'var/lib/rpm/Packages.db', bytes: makeNdb(HEADERS) },
  { path: 'var/lib/rpm/Packages', bytes: makeBdb(HEADERS) },
  text(
    'lib/apk/db/installed',
    'P:musl\nV:1.2.5-r0\nA:x86_64\no:musl\nL:MIT\nF:usr/lib/node_modules/a\nR:package.json\n\nP:b\nV:1\n\n',
  ),
  text(
    'var/lib/dpkg/status',
    'Package: a\nStatus: install ok installed\nSource: b (1.2)\nVersion: 1:2-3\nMaintainer: A <a@debian.org>\nDescription: x\n y\n\n',
  ),
  text('var/lib/dpkg/info/a.list', '/.\n/usr/lib/node_modules/a/package.json\n'),
  text('etc/os-release', 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian"\n'),
  text('usr/lib/node_modules/a/package.json', '{"name":"a","version":"1.0.0","license":"MIT"}'),
  text(
    'usr/lib/python3/dist-packages/a-1.0.dist-info/METADATA',
    'Metadata-Version: 2.1\nName: a\nVersion: 1.0\nLicense: MIT\n folded\n\nbody',
  ),
  text(
    'usr/lib/ruby/gems/3.3.0/specifications/default/a-1.0.gemspec',
    '# -*- encoding: utf-8 -*-\n# stub: a 1.0 ruby lib\n\nGem::Specification.new do |s|\n  s.name = "a".freeze\n  s.version = "1.0"\n  s.licenses = ["MIT".freeze, "Ruby".freeze]\nend\n',
  ),
  text(
    'usr/lib/ruby/gems/3.3.0/specifications/b-2.0.gemspec',
    "Gem::Specification.new do |s|\n  s.name = 'b'\n  s.version = Gem::Version.new('2.0.rc1')\n  s.license = 'MIT'\nend\n",
  ),
  text('opt/conda/conda-meta/a-1.0-0.json', '{"name":"a","version":"1.0","build":"0","license":"MIT"}'),
  text('usr/lib/opkg/status', 'Package: a\nVersion: 1.0\nStatus: install user installed\nArchitecture: x86_64\n\n'),
  {
    path: 'var/lib/chisel/manifest.wall',
    bytes: zstdCompressSync(
      '{"jsonwall":"1.0","schema":"1.0","count":2}\n{"kind":"package","name":"a","version":"1.0","sha256":"aa","arch":"amd64"}\n{"kind":"path","path":"/usr/lib/node_modules/a/package.json","mode":"0644","slices":["a_b"]}\n',
    ),
  },
  text('var/lib/pacman/local/a-1.0-1/desc', '%NAME%\na\n\n%VERSION%\n1.0-1\n\n%BASE%\na\n\n%ARCH%\nx86_64\n'),
];

/** Content without its compression, for samples that are kept compressed. */
export function unpacked({ path, bytes }: Sample): Sample {
  if (path.endsWith('.gz')) return { path: path.slice(0, -3), bytes: gunzipSync(bytes) };
  if (path.endsWith('.zst')) return { path: path.slice(0, -4), bytes: zstdDecompressSync(bytes) };
  return { path, bytes };
}
