import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32, createGzip, deflateRawSync } from 'node:zlib';

/** A zip archive written entry by entry, deflated; with the 64-bit fields when it needs them (APPNOTE.TXT 4.3, 4.5.3). */
async function writeZip(
  path: string,
  entries: Iterable<{ readonly name: string; readonly text: string }>,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const out = createWriteStream(path);
  const directory: Buffer[] = [];
  let offset = 0;
  const write = async (bytes: Buffer): Promise<void> => {
    offset += bytes.length;
    if (!out.write(bytes)) await once(out, 'drain');
  };
  for (const { name, text } of entries) {
    const content = Buffer.from(text);
    const packed = deflateRawSync(content, { level: 1 });
    const header = Buffer.alloc(30);
    header.writeUInt32LE(0x04034b50, 0);
    header.writeUInt16LE(20, 4);
    header.writeUInt16LE(8, 8);
    header.writeUInt32LE(crc32(content), 14);
    header.writeUInt32LE(packed.length, 18);
    header.writeUInt32LE(content.length, 22);
    header.writeUInt16LE(name.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(20, 4);
    header.copy(entry, 6, 4, 28);
    entry.writeUInt32LE(offset, 42);
    directory.push(entry, Buffer.from(name));
    await write(header);
    await write(Buffer.from(name));
    await write(packed);
  }
  const start = offset;
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  for (const piece of directory) await write(piece);
  await write(endOfDirectory(directory.length / 2, size, start));
  await ended(out);
}

function endOfDirectory(count: number, size: number, start: number): Buffer {
  const wide = Buffer.alloc(76);
  wide.writeUInt32LE(0x06064b50, 0);
  wide.writeBigUInt64LE(44n, 4);
  wide.writeUInt16LE(45, 12);
  wide.writeUInt16LE(45, 14);
  wide.writeBigUInt64LE(BigInt(count), 24);
  wide.writeBigUInt64LE(BigInt(count), 32);
  wide.writeBigUInt64LE(BigInt(size), 40);
  wide.writeBigUInt64LE(BigInt(start), 48);
  wide.writeUInt32LE(0x07064b50, 56);
  wide.writeBigUInt64LE(BigInt(start + size), 64);
  wide.writeUInt32LE(1, 72);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(0xffff, 8);
  end.writeUInt16LE(0xffff, 10);
  end.writeUInt32LE(0xffffffff, 12);
  end.writeUInt32LE(0xffffffff, 16);
  return Buffer.concat([wide, end]);
}

async function ended(out: WriteStream): Promise<void> {
  out.end();
  await once(out, 'close');
}

const RELEASES = [
  'Ubuntu:Pro:16.04:LTS',
  'Ubuntu:Pro:18.04:LTS',
  'Ubuntu:20.04:LTS',
  'Ubuntu:22.04:LTS',
  'Ubuntu:24.04:LTS',
];

/** An OSV bulk file in the manner of Ubuntu's: `records` records with long lists of versions and binaries. */
export async function writeUbuntuLike(path: string, records: number): Promise<void> {
  function* entries() {
    for (let i = 0; i < records; i += 1) {
      const id = `UBUNTU-CVE-${2005 + (i % 20)}-${10_000 + i}`;
      yield { name: `${id}.json`, text: JSON.stringify(ubuntuRecord(id, i)) };
    }
  }
  await writeZip(path, entries());
}

function ubuntuRecord(id: string, i: number): object {
  // A few sources have most of the records, as the kernel has.
  const sources =
    i % 5 === 0 ? ['linux', 'linux-aws', 'linux-azure', 'linux-gcp', 'linux-oracle'] : [`source-${i % 3000}`];
  return {
    schema_version: '1.7.0',
    id,
    upstream: [id.slice('UBUNTU-'.length)],
    modified: '2026-10-01T00:00:00Z',
    published: '2025-10-01T00:00:00Z',
    details: 'Something is wrong with the handling of something. '.repeat(12),
    severity: [
      { type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' },
      { type: 'Ubuntu', score: ['low', 'medium', 'high', 'negligible'][i % 4] },
    ],
    affected: RELEASES.flatMap((ecosystem, release) =>
      sources.map((name) => ({
        package: { ecosystem, name, purl: `pkg:deb/ubuntu/${name}@5.${release}.${i % 97}-1?arch=source` },
        ranges: [
          {
            type: 'ECOSYSTEM',
            events: [{ introduced: '0' }, ...(i % 3 ? [{ fixed: `5.${release}.${i % 97}-1` }] : [])],
          },
        ],
        versions: Array.from(
          { length: sources.length > 1 ? 300 : 40 },
          (_, n) => `5.${release}.${n % 96}-${n}ubuntu${(i * 7 + n) % 13}`,
        ),
        ecosystem_specific: {
          binaries: Array.from({ length: sources.length > 1 ? 40 : 6 }, (_, n) => ({
            binary_name: `${name}-part-${n}`,
            binary_version: `5.${release}.${i % 97}-1`,
          })),
        },
      })),
    ),
  };
}

/** A CSAF document of at least `bytes` bytes in the manner of a kernel CVE: many streams, packages and architectures. */
export async function writeLargeCsaf(path: string, bytes: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const out = createWriteStream(path);
  const write = async (text: string): Promise<void> => {
    if (!out.write(text)) await once(out, 'drain');
  };
  const arches = ['aarch64', 'ppc64le', 's390x', 'x86_64', 'src'];
  // A package of one stream and architecture is named in the tree, a relationship, its status, and three times more.
  const packages = Math.ceil(bytes / (arches.length * STREAMS.length * 600));
  const builds = Array.from({ length: packages }, (_, n) =>
    arches.map((arch) => `kernel-part-${n}-0:5.14.0-${n}.el9.${arch}`),
  ).flat();
  await write(
    '{"document":{"category":"csaf_vex","csaf_version":"2.0","tracking":{"id":"CVE-2026-99999","current_release_date":"2026-10-01T00:00:00Z"}},',
  );
  await write('"product_tree":{"branches":[{"category":"vendor","name":"Red Hat","branches":[');
  for (const stream of STREAMS) {
    await write(
      `{"category":"product_name","name":"${stream}","product":{"name":"${stream}","product_id":"${stream}","product_identification_helper":{"cpe":"cpe:/a:redhat:rhel_eus:${stream.slice(-3)}::appstream"}}},\n`,
    );
  }
  for (const [i, build] of builds.entries()) {
    const [, name = '', version = '', arch = ''] = /^(.+)-0:(.+)\.(\w+)$/.exec(build) ?? [];
    await write(
      `${i ? ',\n' : ''}{"category":"product_version","name":"${build}","product":{"name":"${build}","product_id":"${build}","product_identification_helper":{"purl":"pkg:rpm/redhat/${name}@${version}?arch=${arch}"}}}`,
    );
  }
  await write(']}],"relationships":[');
  let first = true;
  for (const stream of STREAMS) {
    for (const build of builds) {
      await write(
        `${first ? '' : ',\n'}{"category":"default_component_of","full_product_name":{"name":"${build} as a component of Red Hat Enterprise Linux ${stream}","product_id":"${stream}:${build}"},"product_reference":"${build}","relates_to_product_reference":"${stream}"}`,
      );
      first = false;
    }
  }
  const of = (stream: string) => quoted(builds.map((build) => `${stream}:${build}`));
  await write(']},"vulnerabilities":[{"cve":"CVE-2026-99999","product_status":{"fixed":[');
  for (const [i, stream] of STREAMS.entries()) await write(`${i ? ',\n' : ''}${of(stream)}`);
  await write(']},"release_date":"2026-09-01T00:00:00Z","remediations":[');
  for (const [i, stream] of STREAMS.entries()) {
    await write(
      `${i ? ',\n' : ''}{"category":"vendor_fix","details":"Update.","url":"https://access.redhat.com/errata/RHSA-2026:${1000 + i}","product_ids":[${of(stream)}]}`,
    );
  }
  await write('],"threats":[{"category":"impact","details":"Important","product_ids":[');
  for (const [i, stream] of STREAMS.entries()) await write(`${i ? ',\n' : ''}${of(stream)}`);
  await write(']}]}]}');
  await ended(out);
}

const STREAMS = Array.from(
  { length: 20 },
  (_, n) => `AppStream-${8 + (n % 3)}.${n % 10}.0.Z.E4S-${n}-${8 + (n % 3)}.${n % 10}`,
);

/** EPSS scores of `rows` CVEs. */
export async function writeEpss(path: string, rows: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const gzip = createGzip();
  const out = createWriteStream(path);
  gzip.pipe(out);
  gzip.write('#model_version:v2025.03.14,score_date:2026-11-24T00:00:00+0000\ncve,epss,percentile\n');
  for (let i = 0; i < rows; i += 1) {
    const row = `CVE-${1999 + (i % 27)}-${10_000 + i},0.${String(i % 100_000).padStart(5, '0')},0.${String((i * 7) % 100_000).padStart(5, '0')}\n`;
    if (!gzip.write(row)) await once(gzip, 'drain');
  }
  gzip.end();
  await once(out, 'close');
}

function quoted(texts: Iterable<string>): string {
  return [...texts].map((text) => JSON.stringify(text)).join(',\n');
}
