import fc from 'fast-check';
import { expect, it } from 'vitest';
import { merged } from './sorted-texts.ts';

const texts = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\uFF5E', '\u{1F600}'), maxLength: 3 });

it('merges sorted lists into what sorting all of it gives, each text once', () => {
  fc.assert(
    fc.property(fc.array(fc.array(texts)), (lists) => {
      const sorted = lists.map((list) => [...new Set(list)].sort());
      expect(merged(sorted)).toEqual([...new Set(lists.flat())].sort());
    }),
  );
});
