import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeTar, type TarItem, tarHeader } from '../../test/support/tar.ts';
import { analyseLayer } from './analyse-layer.ts';
import { composeInventory } from './compose.ts';
import { DEFAULT_LIMITS } from './model.ts';

const DATABASE = 'lib/apk/db/installed';
const apk = (name: string) => `P:${name}\nV:1.0-r0\nA:x86_64\n\n`;

async function* pieces(...parts: readonly Uint8Array[]) {
  yield* parts;
}

const analyse = (bytes: Uint8Array, limits = DEFAULT_LIMITS) => analyseLayer(pieces(bytes), { limits });

async function namesIn(items: readonly TarItem[]): Promise<string[]> {
  const evidence = await analyse(makeTar(items));
  return composeInventory([{ evidence }]).packages.map(({ name }) => name);
}

/** A package in a folder whose name is this one byte. */
function packageIn(byte: number): Buffer {
  const header = tarHeader({ name: 'node_modules/x/package.json', flag: '0', size: 512 });
  header[13] = byte;
  header.write('        ', 148);
  header.write(
    `${header
      .reduce((sum, one) => sum + one, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  );
  const content = Buffer.alloc(512, ' ');
  content.write('{"name":"a","version":"1.0.0"}');
  return Buffer.concat([header, content]);
}

/** A file as GNU tar stores it without its holes. */
function sparseFile(name: string): Buffer {
  return Buffer.concat([tarHeader({ name, flag: 'S', size: 512 }), Buffer.alloc(512, 'x')]);
}

describe('hostile layers', () => {
  it('gives what came before the damage, wherever a layer is cut off', async () => {
    const tar = makeTar([
      { name: DATABASE, content: apk('musl') },
      { name: 'etc/os-release', content: 'ID=alpine\nVERSION_ID=3.20.3\n' },
      { name: `${'long/'.repeat(40)}name`, content: 'x'.repeat(1500) },
    ]);
    const end = tar.length - 1024;
    for (let length = 0; length <= tar.length; length += 512) {
      const evidence = await analyse(tar.subarray(0, length));
      const { packages, complete } = composeInventory([{ evidence }]);
      expect(
        packages.map(({ name }) => name),
        `cut off at ${length}`,
      ).toEqual(length < 1024 ? [] : ['musl']);
      // Between two entries a cut cannot be told from an end.
      const between = [0, 1024, 2048, 5120, end];
      if (!between.includes(length) && length < end) expect(complete, `cut off at ${length}`).toBe(false);
    }
  });

  it.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ])('says that %s ended early', async (_what, compress) => {
    const bytes = compress(makeTar([{ name: DATABASE, content: apk('musl') }]));
    const evidence = await analyse(bytes.subarray(0, -6));
    expect(evidence).toMatchObject({ complete: false, gaps: [{ kind: 'truncated' }] });
  });

  it('reads zstd in several frames, the first to be skipped, and gzip in several members', async () => {
    const tar = makeTar([{ name: DATABASE, content: apk('musl') }]);
    const skipped = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]);
    const halves = [tar.subarray(0, 700), tar.subarray(700)];
    const layers = [
      Buffer.concat([skipped, ...halves.map((half) => zstdCompressSync(half))]),
      Buffer.concat(halves.map((half) => gzipSync(half))),
    ];
    for (const bytes of layers) {
      const evidence = await analyse(bytes);
      expect([evidence.complete, evidence.files.length]).toEqual([true, 1]);
    }
  });

  it.each([
    ['a bomb', { uncompressedBytes: 1_000_000 }, () => gzipSync(Buffer.concat([makeTar([]), Buffer.alloc(1 << 24)]))],
    [
      'a file without end',
      { uncompressedBytes: 1_000_000 },
      () => gzipSync(Buffer.concat([tarHeader({ name: 'x', flag: '0', size: 2 ** 32 }), Buffer.alloc(1 << 22)])),
    ],
    ['too many entries', { entries: 3 }, () => makeTar(Array.from({ length: 9 }, (_, at) => ({ name: `f${at}` })))],
    [
      'names without end',
      { evidenceLength: 5000 },
      () => makeTar(Array.from({ length: 9 }, (_, at) => ({ name: `${at}${'/n'.repeat(500)}` }))),
    ],
  ])('stops at %s', async (_what, limits, layer) => {
    const evidence = await analyse(layer(), { ...DEFAULT_LIMITS, ...limits });
    expect(evidence).toMatchObject({ complete: false, gaps: [{ kind: 'limit' }] });
  });

  it.each([
    ['bzip2', 'BZh91AY&SY'],
    ['xz', '\xfd7zXZ\0'],
    ['JSON', '{"schemaVersion":2}'.repeat(40)],
  ])('says that %s is no layer', async (_what, start) => {
    const evidence = await analyse(Buffer.from(start, 'latin1'));
    expect(evidence).toMatchObject({ complete: false, gaps: [{ kind: 'unsupported-layer' }] });
  });

  it('does not take for content what follows the end, as no runtime does', async () => {
    const evidence = await analyse(
      Buffer.concat([
        makeTar([{ name: DATABASE, content: apk('old') }]),
        makeTar([{ name: DATABASE, content: apk('new') }]),
      ]),
    );
    const inventory = composeInventory([{ evidence }]);
    expect(inventory.packages.map(({ name }) => name)).toEqual(['old']);
    expect(inventory.gaps).toMatchObject([{ kind: 'malformed-entry' }]);
  });

  it('reads a stream of a file as a stream: from where it begins', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'breakwater-stream-'));
    const path = join(folder, 'layer');
    writeFileSync(path, Buffer.concat([Buffer.alloc(100, 'x'), makeTar([{ name: DATABASE, content: apk('musl') }])]));
    const evidence = await analyseLayer(createReadStream(path, { start: 100 }));
    expect(composeInventory([{ evidence }])).toMatchObject({ complete: true, packages: [{ name: 'musl' }] });
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['bytes', makeTar([]), Buffer.from('x'), 'after its end the archive goes on with bytes that are none'],
    ['bytes after zeros', makeTar([]), Buffer.from(`${'\0'.repeat(5000)}x`), 'goes on with bytes that are none'],
    ['an archive', makeTar([]), makeTar([{ name: 'x' }]), 'goes on with another one'],
    ['compressed bytes', gzipSync(makeTar([])), gzipSync(Buffer.from('x')), 'goes on with bytes that are none'],
    [
      'zeros',
      gzipSync(makeTar([])),
      Buffer.alloc(9),
      'behind the compressed archive come bytes that belong to nothing',
    ],
    ['bytes', zstdCompressSync(makeTar([])), Buffer.from('x'), 'behind the compressed archive come bytes'],
    ['many bytes', zstdCompressSync(makeTar([])), Buffer.alloc(1 << 21, 'x'), 'behind the compressed archive'],
  ])('names %s behind the end', async (_what, archive, tail, message) => {
    const whole = await analyse(Buffer.concat([archive, tail]));
    const inPieces = await analyseLayer(pieces(archive, tail));
    for (const { complete, gaps } of [whole, inPieces]) {
      expect(complete).toBe(true);
      expect(gaps).toEqual([{ kind: 'malformed-entry', message: expect.stringContaining(message) }]);
    }
  });

  it('says nothing of the zeros that archives are filled up with', async () => {
    const tar = Buffer.concat([makeTar([{ name: 'a' }]), Buffer.alloc(9000)]);
    for (const bytes of [tar, gzipSync(tar), zstdCompressSync(tar)])
      expect(await analyse(bytes)).toMatchObject({ complete: true, gaps: [] });
  });

  it.each([
    ['bytes', gzipSync(makeTar([{ name: 'a' }])), 'incorrect header check'],
    ['the begin of another part', gzipSync(makeTar([{ name: 'a' }])), 'unexpected end of file'],
  ])('is not complete when %s come behind gzip, where runtimes give up', async (what, archive, message) => {
    const tail = what === 'bytes' ? Buffer.from('garbage') : archive.subarray(0, 20);
    expect(await analyse(Buffer.concat([archive, tail]))).toMatchObject({
      complete: false,
      gaps: [{ kind: 'truncated', message: expect.stringContaining(message) }],
    });
  });

  it.each([
    ['lib/apk/db/installed', 'it is no field of a package'],
    ['var/lib/dpkg/status', 'an entry without a package name'],
    ['var/lib/dpkg/status.d/libc6', 'an entry without a package name'],
  ])('is not complete when the database %s is garbage', async (name, message) => {
    const garbage = [Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * 7919) % 256)), Buffer.alloc(5000)];
    for (const content of garbage) {
      const inventory = composeInventory([{ evidence: await analyse(makeTar([{ name, content }])) }]);
      expect(inventory).toMatchObject({ complete: false, packages: [] });
      expect(inventory.gaps[0]).toMatchObject({ path: name, message: expect.stringContaining(message) });
    }
  });

  it('names a sparse file that may be a program, though only its content would tell', async () => {
    const evidence = await analyse(
      Buffer.concat([sparseFile('usr/bin/tool'), sparseFile('srv/notes.txt'), makeTar([])]),
    );
    expect(composeInventory([{ evidence }])).toMatchObject({
      complete: true,
      gaps: [{ kind: 'unreadable-file', path: 'usr/bin/tool', message: expect.stringContaining('sparse') }],
    });
  });

  it('is not complete without the database: too large or sparse', async () => {
    const large = await analyse(makeTar([{ name: DATABASE, content: apk('musl') }]), {
      ...DEFAULT_LIMITS,
      fileBytes: 5,
    });
    const sparse = await analyse(Buffer.concat([sparseFile(DATABASE), makeTar([{ name: 'etc/after' }])]));
    for (const [kind, evidence] of [
      ['limit', large],
      ['unreadable-file', sparse],
    ] as const) {
      const inventory = composeInventory([{ evidence }]);
      expect(inventory).toMatchObject({ complete: false, packages: [], gaps: [{ kind, path: DATABASE }] });
      // A later layer that takes it away takes the trouble away too.
      const whiteout = await analyse(makeTar([{ name: 'lib/apk/db/.wh.installed' }]));
      expect(composeInventory([{ evidence }, { evidence: whiteout }])).toMatchObject({ complete: true, gaps: [] });
    }
  });

  it('keeps apart names that are not UTF-8', async () => {
    const evidence = await analyse(Buffer.concat([packageIn(0xfe), packageIn(0xff), Buffer.alloc(1024)]));
    expect(composeInventory([{ evidence }]).packages).toHaveLength(2);
    expect(composeInventory([{ evidence: JSON.parse(JSON.stringify(evidence)) }]).packages).toHaveLength(2);
  });

  it('finds packages under every name that a store links them to', async () => {
    const store = 'root/.local/share/pnpm/store/v10/files/a1/0f';
    const names = await namesIn([
      { name: store, content: '{"name":"left-pad","version":"1.3.0"}' },
      { name: 'srv/node_modules/left-pad/package.json', type: 'hardlink', link: store },
      { name: 'srv/other/package.json', type: 'hardlink', link: 'nowhere' },
    ]);
    expect(names).toEqual(['left-pad']);
  });

  it('takes nothing from a package.json that no JSON text may hold', async () => {
    const names = await namesIn([
      { name: 'node_modules/a/package.json', content: '{"name":"\\ud800","version":"1"}' },
      { name: 'node_modules/b/package.json', content: '{"name":"b","version":"1\\n2"}' },
      { name: 'node_modules/c/package.json', content: '{"name":"c","version":"1","__proto__":{"x":1}}' },
      { name: 'node_modules/d/package.json', content: '['.repeat(100_000) },
    ]);
    expect(names).toEqual(['c']);
  });

  it('gives up on links that lead around without end, within seconds', async () => {
    const around = Array.from({ length: 35 }, (_, at) => ({
      name: `l${at}`,
      type: 'symlink' as const,
      link: `${'./'.repeat(1500)}l${at + 1}`,
    }));
    const files = Array.from({ length: 3000 }, (_, at) => ({ name: `l0/${at % 2}/f` }));
    const evidence = await analyse(makeTar([...around, ...files]));
    const inventory = composeInventory([{ evidence }]);
    expect(inventory).toMatchObject({ complete: false, gaps: [{ kind: 'limit' }] });
  });

  it('leaves a thousand folders in each other as they are', async () => {
    expect(
      await namesIn([
        { name: `${'d/'.repeat(1000)}node_modules/a/package.json`, content: '{"name":"a","version":"1"}' },
      ]),
    ).toEqual(['a']);
  });

  it('survives any damage to a layer', async () => {
    const tar = makeTar([
      { name: DATABASE, content: apk('musl') },
      { name: 'usr', type: 'symlink', link: '..' },
      { name: `${'n'.repeat(120)}/node_modules/a/package.json`, content: '{"name":"a","version":"1"}' },
      { name: 'var/lib/dpkg/status', content: 'Package: a\nStatus: install ok installed\nVersion: 1\n\n' },
      { name: 'var/lib/.wh.dpkg' },
    ]);
    const layers = [tar, gzipSync(tar), zstdCompressSync(tar)];
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...layers), damage, fc.nat(), async (layer, changes, end) => {
        const bytes = Buffer.from(layer.subarray(0, layer.length - (end % 3 === 0 ? end % layer.length : 0)));
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        const evidence = await analyse(bytes);
        const inventory = composeInventory([{ evidence }]);
        if (!evidence.complete) expect(inventory.gaps).not.toEqual([]);
        expect(JSON.parse(JSON.stringify(evidence))).toEqual(evidence);
      }),
      { numRuns: 300 },
    );
  });
});
