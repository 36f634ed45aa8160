import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonError, parseStrictJson } from './strict-json.ts';

const parse = (text: string) => parseStrictJson(Buffer.from(text));

describe('parseStrictJson', () => {
  it('gives what JSON.parse gives, for any value without odd names', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.boolean(), (value, indented) => {
        fc.pre(!JSON.stringify(value).includes('__proto__'));
        const text = JSON.stringify(value, null, indented ? 2 : undefined);
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 500 },
    );
  });

  it('finds a member that occurs twice wherever it is', () => {
    fc.assert(
      fc.property(fc.string(), fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (name, first, between, second) => {
        fc.pre(name !== '__proto__' && name !== 'x');
        const text = `[1,{"x":${JSON.stringify(between)},${JSON.stringify(name)}:${JSON.stringify(first)},${JSON.stringify(name)}:${JSON.stringify(second)}}]`;
        expect(() => parse(text)).toThrow(JsonError);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['escaped differently', '{"a":1,"\\u0061":2}'],
    ['after strings with quotes and brackets', '{"a":"}\\"{[","b":"\\\\","a":2}'],
    ['after a nested object of the same names', '{"a":{"a":1},"b":[{"a":1}],"a":2}'],
    ['__proto__', '{"__proto__":{}}'],
    ['__proto__ escaped', '{"\\u005f_proto__":1}'],
    ['65 levels', `${'['.repeat(65)}${']'.repeat(65)}`],
    ['a byte order mark', '\ufeff{}'],
    ['nothing', ''],
    ['two values', '{} {}'],
    ['a trailing comma', '{"a":1,}'],
  ])('refuses %s', (_, text) => {
    expect(() => parse(text)).toThrow(JsonError);
  });

  it.each([
    '{"a":{"a":{"a":[]}},"b":{"a":1}}',
    '["a","a","a"]',
    '[{"a":1},{"a":1}]',
    '{"a":["b",{"c":"a"},"b"],"b":"a","c":"a"}',
    '{"a":"\\\\","b":"\\\\\\"","c":1}',
    `${'['.repeat(64)}${']'.repeat(64)}`,
  ])('takes %s', (text) => {
    expect(parse(text)).toEqual(JSON.parse(text));
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(() => parseStrictJson(Uint8Array.of(0x22, 0xff, 0x22))).toThrow(JsonError);
    expect(() => parseStrictJson(Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22))).toThrow(JsonError);
  });

  it('only ever fails with its own error, and in reasonable time', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          parseStrictJson(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(JsonError);
        }
      }),
      { numRuns: 500 },
    );
    for (const hostile of [
      '['.repeat(4_000_000),
      `"${'\\\\'.repeat(1_000_000)}`,
      `{"a":"${'\\"'.repeat(1_000_000)}"}`,
    ]) {
      const started = performance.now();
      try {
        parse(hostile);
      } catch (error) {
        expect(error).toBeInstanceOf(JsonError);
      }
      expect(performance.now() - started).toBeLessThan(2000);
    }
  });
});
