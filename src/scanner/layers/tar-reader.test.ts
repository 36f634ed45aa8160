import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeTar, tarHeader } from '../../../test/support/tar.ts';
import type { ByteSource } from '../../platform/streams.ts';
import { ScanError } from '../errors.ts';
import { createByteReader } from './byte-reader.ts';
import { readTar } from './tar-reader.ts';

async function* inPieces(bytes: Buffer, size: number): ByteSource {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function entriesOf(bytes: Buffer, piece = 700) {
  const entries: { name: string; kind: string; content: string; linkName: string }[] = [];
  for await (const entry of readTar(createByteReader(inPieces(bytes, piece)))) {
    const { name, kind, linkName } = entry;
    entries.push({ name, kind, linkName, content: (await entry.read(1 << 20)).toString('utf8') });
  }
  return entries;
}

const LONG = `${'folder/'.repeat(40)}file`;

describe('readTar', () => {
  it('reads files, folders, links and long names, however the bytes arrive', async () => {
    const tar = makeTar([
      { name: 'etc/', type: 'directory' },
      { name: 'etc/os-release', content: 'ID=alpine\n' },
      { name: LONG, content: 'deep' },
      { name: 'lib', type: 'symlink', link: 'usr/lib' },
      { name: 'again', type: 'hardlink', link: 'etc/os-release' },
      { name: 'naïve-✓', content: 'ü' },
    ]);
    const expected = [
      ['etc/', 'directory', ''],
      ['etc/os-release', 'file', 'ID=alpine\n'],
      [LONG, 'file', 'deep'],
      ['lib', 'symlink', ''],
      ['again', 'hardlink', ''],
      ['naïve-✓', 'file', 'ü'],
    ];
    for (const piece of [1, 511, 512, 513, 1 << 20]) {
      const entries = await entriesOf(tar, piece);
      expect(entries.map(({ name, kind, content }) => [name, kind, content])).toEqual(expected);
      expect(entries[3]?.linkName).toBe('usr/lib');
    }
  });

  it('reads GNU long names, and on behind a lone block of zeros', async () => {
    const gnu = Buffer.concat([
      tarHeader({ name: '././@LongLink', flag: 'L', size: LONG.length + 1 }),
      Buffer.concat([Buffer.from(`${LONG}\0`), Buffer.alloc(-(LONG.length + 1) & 511)]),
      tarHeader({ name: 'short', flag: '0', size: 0 }),
      Buffer.alloc(512),
    ]);
    const entries = await entriesOf(Buffer.concat([gnu, makeTar([{ name: 'second', content: 'x' }])]));
    expect(entries.map(({ name }) => name)).toEqual([LONG, 'second']);
  });

  it('gives what came before the damage, wherever an archive is cut off', async () => {
    const tar = makeTar([
      { name: 'a', content: 'A'.repeat(600) },
      { name: 'b', content: 'B' },
    ]);
    // Header and content of `a` take 1536 bytes, the header of `b` ends at 2048.
    for (let length = 7; length < 2048; length += 512) {
      const seen: string[] = [];
      const read = async () => {
        for await (const entry of readTar(createByteReader(inPieces(tar.subarray(0, length), 4096))))
          seen.push(entry.name);
      };
      await expect(read(), `cut off at ${length}`).rejects.toThrow(ScanError);
      expect(seen).toEqual(length < 512 ? [] : ['a']);
    }
  });

  it.each([
    ['a header with a wrong checksum', () => tarHeader({ name: 'x', flag: '0', size: 0 }).fill(1, 0, 4)],
    ['no tar at all', () => Buffer.from('{"schemaVersion":2}'.repeat(60))],
    ['a name of a gigabyte', () => tarHeader({ name: 'n', flag: 'L', size: 2 ** 30 })],
    ['a size below zero', () => Buffer.from(tarHeader({ name: 'n', flag: '0', size: 0 })).fill('-1', 124, 126)],
  ])('refuses %s', async (_what, bytes) => {
    await expect(entriesOf(bytes())).rejects.toThrow(ScanError);
  });

  it('survives any bytes, valid headers among them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2048 }), fc.nat(4), async (noise, headers) => {
        const bytes = Buffer.concat([
          ...Array.from({ length: headers }, (_, at) =>
            tarHeader({ name: `f${at}`, flag: 'xgLK05'[at] ?? '0', size: noise.length }),
          ),
          Buffer.from(noise),
        ]);
        await entriesOf(bytes).catch((error: unknown) => {
          if (!(error instanceof ScanError)) throw error;
        });
      }),
      { numRuns: 300 },
    );
  });
});
