import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createByteReader } from './byte-reader.ts';

const content = Buffer.from(Array.from({ length: 3000 }, (_, at) => (at * 31 + (at >> 8)) & 255));

describe('a reader of pieces', () => {
  it('gives the bytes in order however they arrive and are asked for, and gives every piece back once', async () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 1, maxLength: 20 });
    const steps = fc.array(fc.tuple(fc.constantFrom('fill', 'pass', 'peek'), fc.nat(1500)), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(sizes, steps, async (lengths, asked) => {
        const pieces: Buffer[] = [];
        let whole = 0;
        for (const length of lengths) {
          pieces.push(Buffer.from(content.subarray(whole, whole + length)));
          whole += pieces.at(-1)?.length ?? 0;
        }
        const source = (async function* () {
          yield* pieces;
        })();
        const given: Uint8Array[] = [];
        const reader = createByteReader(source, (piece) => {
          given.push(piece);
          // Whoever looks at it now sees something else.
          piece.fill(0xee);
        });
        let position = 0;
        for (const [what, length] of [...asked, ['fill', 5000], ['pass', 0], ['fill', 5000]] as const) {
          if (what === 'fill') {
            await reader.fill(length);
            const wanted = Math.min(length, whole - position);
            expect(reader.peek(wanted).equals(content.subarray(position, position + wanted))).toBe(true);
          } else if (what === 'pass') position += reader.pass(length);
          else {
            const seen = reader.peek(length);
            expect(seen.equals(content.subarray(position, position + seen.length))).toBe(true);
          }
          expect(reader.position).toBe(position);
        }
        expect(reader.ended).toBe(true);
        expect(new Set(given).size).toBe(given.length);
      }),
      { numRuns: 500 },
    );
  });
});
