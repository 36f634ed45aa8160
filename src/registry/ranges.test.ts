import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RegistryError } from './errors.ts';
import { parseChunkRange, parseRange, uploadRange } from './ranges.ts';

describe('ranges', () => {
  it('a range lies inside the blob, or is refused, or is everything', () => {
    const bound = fc.oneof(fc.constant(''), fc.nat(300).map(String));
    fc.assert(
      fc.property(bound, bound, fc.nat(200), (from, to, size) => {
        try {
          const range = parseRange(`bytes=${from}-${to}`, size);
          if (range === undefined) expect(from + to).toBe('');
          else {
            expect(range.first).toBeGreaterThanOrEqual(0);
            expect(range.last).toBeGreaterThanOrEqual(range.first);
            expect(range.last).toBeLessThan(size);
            expect(range.first).toBe(from === '' ? Math.max(0, size - Number(to)) : Number(from));
          }
        } catch (error) {
          expect(error).toBeInstanceOf(RegistryError);
          expect((error as RegistryError).headers).toEqual({ 'content-range': `bytes */${size}` });
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('a chunk range gives where it starts and how long it is', () => {
    expect(parseChunkRange('0-99', 100)).toEqual({ first: 0, length: 100 });
    expect(parseChunkRange('100-149', undefined)).toEqual({ first: 100, length: 50 });
    expect(parseChunkRange('5-4', 0)).toEqual({ first: 5, length: 0 });
    expect(parseChunkRange(undefined, 3)).toBeUndefined();
    for (const bad of ['', '1', '5-3', 'bytes 0-1/2', ' 0-1', '0-1 ', '0x1-2', '9'.repeat(20)])
      expect(() => parseChunkRange(bad, undefined)).toThrow(RegistryError);
    expect(() => parseChunkRange('0-99', 99)).toThrow(RegistryError);
  });

  it('an upload stands at its last byte', () => {
    expect([0, 1, 2, 1000].map(uploadRange)).toEqual(['0-0', '0-0', '0-1', '0-999']);
  });
});
