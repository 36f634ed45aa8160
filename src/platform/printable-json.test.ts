import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printableJson } from './printable-json.ts';

describe('printable JSON', () => {
  it.each([
    ['escape', '\u001b[31mred', '\\u001b[31mred'],
    ['C1 control', '\u009b31m', '\\u009b31m'],
    ['override', 'a\u202eb', 'a\\u202eb'],
    ['tag outside the basic plane', 'a\u{e0041}', 'a\\udb40\\udc41'],
    ['half a character', 'a\ud800', 'a\ufffd'],
    ['line end', 'a\nb', 'a\\nb'],
    ['plain', 'grüße 木 😀', 'grüße 木 😀'],
  ])('%s', (_, text, written) => {
    expect(printableJson(text)).toBe(`"${written}"`);
  });
  it('keeps every value, but for half characters', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = printableJson(value);
        expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
