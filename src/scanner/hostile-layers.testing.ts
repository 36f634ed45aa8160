import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { tarHeader } from '../../test/support/tar.ts';
import { makeZip } from './zip/make-zip.testing.ts';

interface Entry {
  readonly name: string;
  readonly content?: Buffer;
}

const MB = 1024 * 1024;

/** Layers that are all size: each gives its entries, `scale` 1 in full and below that in part. */
export const HOSTILE_LAYERS = new Map<string, (scale: number) => Iterable<Entry>>([
  ['millions of entries', (scale) => times(3_000_000 * scale, (at) => ({ name: `f/${at}` }))],
  [
    'hundreds of thousands of packages',
    (scale) =>
      times(300_000 * scale, (at) => ({
        name: `srv/${at}/node_modules/p${at}/package.json`,
        content: Buffer.from(`{"name":"p${at}","version":"1.0.0"}`),
      })),
  ],
  [
    'thousands of long paths',
    (scale) => times(60_000 * scale, (at) => ({ name: `${at}/${'long/'.repeat(800)}${at}` })),
  ],
  ['objects in JSON', (scale) => one('app/a.deps.json', `[${'{},'.repeat(20_000_000 * scale)}0]`)],
  ['lists in JSON', (scale) => one('srv/vendor/composer/installed.json', `[${'[],'.repeat(20_000_000 * scale)}0]`)],
  [
    'names in JSON',
    (scale) =>
      one('srv/node_modules/a/package.json', `{${[...times(500_000 * scale, (at) => `"${at}":0`)].join(',')}}`),
  ],
  ['packages of apk', (scale) => one('lib/apk/db/installed', 'P:a\nV:1\n\n'.repeat(6_000_000 * scale))],
  [
    'packages of dpkg',
    (scale) =>
      one(
        'var/lib/dpkg/status',
        [
          ...times(
            1_000_000 * scale,
            (at) => `Package: p${at}\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n`,
          ),
        ].join(''),
      ),
  ],
  ['one line', (scale) => one('var/lib/dpkg/status', `Package: ${'a'.repeat(400 * MB * scale)}`)],
  ['short lines', (scale) => one('lib/apk/db/installed', 'x\n'.repeat(100 * MB * scale))],
  ['jars in jars', (scale) => one('app/a.jar', nested(8, Math.ceil(12 * scale)))],
  [
    'files in a jar',
    (scale) =>
      one(
        'app/a.jar',
        makeZip([...times(60_000 * scale, (at) => ({ name: `META-INF/maven/g/a${at}/pom.properties`, content: POM }))]),
      ),
  ],
]);

const POM = Buffer.from('groupId=g\nartifactId=a\nversion=1\n');

/** Writes such a layer, packed. */
export async function writeHostileLayer(path: string, entries: Iterable<Entry>): Promise<void> {
  await pipeline(Readable.from(tarOf(entries)), createGzip({ level: 1 }), createWriteStream(path));
}

function* tarOf(entries: Iterable<Entry>): Generator<Buffer> {
  let parts: Buffer[] = [];
  for (const { name, content = Buffer.alloc(0) } of entries) {
    if (name.length > 100) {
      const long = Buffer.from(`${name}\0`);
      parts.push(tarHeader({ name: '././@LongLink', flag: 'L', size: long.length }), long, padding(long));
    }
    parts.push(tarHeader({ name: name.slice(0, 100), flag: '0', size: content.length }), content, padding(content));
    if (parts.length < 1000) continue;
    yield Buffer.concat(parts);
    parts = [];
  }
  yield Buffer.concat([...parts, Buffer.alloc(1024)]);
}

function padding(content: Buffer): Buffer {
  return Buffer.alloc(-content.length & 511);
}

function* times<Item>(count: number, make: (at: number) => Item): Generator<Item> {
  for (let at = 0; at < count; at += 1) yield make(at);
}

function one(name: string, content: string | Buffer): readonly Entry[] {
  return [{ name, content: Buffer.from(content) }];
}

/** Each jar has some of the next in it. */
function nested(deep: number, wide: number): Buffer {
  if (deep === 0) return makeZip([{ name: 'META-INF/maven/g/a/pom.properties', content: POM }]);
  const inner = nested(deep - 1, wide);
  return makeZip([...times(deep > 4 ? 2 : wide, (at) => ({ name: `lib/${at}.jar`, content: inner }))]);
}
