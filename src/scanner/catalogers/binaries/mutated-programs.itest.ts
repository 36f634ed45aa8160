import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dataPath, hasData } from '../../../../test/support/data.ts';
import { viewOf } from '../../file-view.ts';
import { binaryCataloger } from './cataloger.ts';

const BLOCK = 512;

/** The files of a plain tar archive. */
function filesOf(archive: string): readonly (readonly [name: string, content: Buffer])[] {
  const tar = gunzipSync(readFileSync(dataPath('images', 'layers', archive)));
  const files: (readonly [string, Buffer])[] = [];
  for (let at = 0; tar[at] !== undefined && tar[at] !== 0; ) {
    const size = Number.parseInt(tar.toString('latin1', at + 124, at + 135), 8);
    const content = tar.subarray(at + BLOCK, at + BLOCK + size);
    if (size > 0) files.push([tar.toString('latin1', at, tar.indexOf(0, at)), content]);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}

/** Where the numbers stand that lead a reader: file header, the tables it names, build information, crates. */
function placesOf(content: Buffer): readonly number[] {
  const marks = [content.indexOf(' Go buildinf:'), content.indexOf('\0.shstrtab\0')].filter((at) => at > 0);
  const tables = content.length > 64 && content[0] === 0x7f ? [Number(content.readBigUInt64LE(40))] : [];
  return [0, 64, 128, ...marks, ...tables].filter((at) => at < content.length);
}

const EXTREMES = [0, 1, 0x7f, 0x80, 0xfe, 0xff];

describe.skipIf(!hasData)('real programs, damaged where it matters', () => {
  it.each(hasData ? ['go-binaries.tar.gz', 'rust-binaries.tar.gz'].flatMap(filesOf) : [])('%s', (name, original) => {
    const places = placesOf(original);
    const whole = binaryCataloger.catalog(name, viewOf(original));
    expect(whole.packages?.length).toBeGreaterThan(0);
    const change = fc.tuple(
      fc.constantFrom(...places),
      fc.nat(256),
      fc.array(fc.oneof(fc.constantFrom(...EXTREMES), fc.nat(255)), { minLength: 1, maxLength: 8 }),
    );
    fc.assert(
      fc.property(
        fc.array(change, { minLength: 1, maxLength: 4 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (changes, cut) => {
          const bytes = Buffer.from(original);
          for (const [place, into, values] of changes)
            Buffer.from(values).copy(bytes, Math.min(place + into, bytes.length - 1));
          const started = performance.now();
          for (const one of [bytes, bytes.subarray(0, Math.floor(cut * bytes.length))])
            for (const pkg of binaryCataloger.catalog(name, viewOf(one)).packages ?? []) {
              expect(pkg.name).toMatch(/^[^\s\p{C}]+$/u);
              expect(pkg.version).toMatch(/^[^\s\p{C}]+$/u);
            }
          expect(performance.now() - started).toBeLessThan(5000);
        },
      ),
      { numRuns: 150 },
    );
  });
});
