import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalHash, canonicalJson } from './canonical.ts';

describe('canonical JSON', () => {
  it.each<[unknown, string]>([
    [{ b: 1, a: [true, null, 'x\n'] }, '{"a":[true,null,"x\\n"],"b":1}'],
    [{ 10: 1, 2: 2, b: 0, '\u20ac': 1, '\r': 2 }, '{"\\r":2,"10":1,"2":2,"b":0,"\u20ac":1}'],
    [{ a: undefined, b: 1e30, c: 0.5, d: -0 }, '{"b":1e+30,"c":0.5,"d":0}'],
  ])('of %j', (value, wanted) => expect(canonicalJson(value)).toBe(wanted));

  it('reads back as the same value, and has one text whatever the order of members', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalHash(reversed)).toBe(canonicalHash(value));
      }),
    );
  });

  it('gives numbers that JSON cannot hold a text of their own', () => {
    expect(new Set([Infinity, -Infinity, Number.NaN, null].map(canonicalJson)).size).toBe(4);
  });
});
