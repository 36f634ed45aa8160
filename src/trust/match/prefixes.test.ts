import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { compilePrefixes } from './prefixes.ts';

it('finds what a look at every beginning finds', () => {
  const text = fc.stringMatching(/^[ab/\u00e9\u{10400}]{0,5}$/u);
  fc.assert(
    fc.property(fc.array(text, { maxLength: 8 }), text, (all, asked) => {
      const found = compilePrefixes(all).of(asked);
      const fitting = all.filter((one) => asked.startsWith(one)).sort((a, b) => a.length - b.length);
      expect(found).toBe(fitting[0]);
    }),
    { numRuns: 3000 },
  );
});
