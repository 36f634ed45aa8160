import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { warningHeaders } from './warnings.ts';

const FORM = /^299 - "((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;

describe('warningHeaders', () => {
  it('escapes quotes and backslashes, and writes ASCII', () => {
    expect(warningHeaders(['a "b" \\ c', 'it’s – “so”…\r\nX-Evil: 1', 'żółw'])).toEqual([
      '299 - "a \\"b\\" \\\\ c"',
      '299 - "it\'s - \\"so\\"... X-Evil: 1"',
      '299 - "?w"',
    ]);
    expect(warningHeaders([])).toEqual([]);
  });

  it('always has the form of RFC 7234 §5.5 and at most 4096 bytes in all', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.constant('"\\'.repeat(1500)),
      fc.constant('x'.repeat(5000)),
    );
    fc.assert(
      fc.property(fc.array(text, { maxLength: 20 }), (warnings) => {
        const headers = warningHeaders(warnings);
        expect(headers.filter((header) => !FORM.test(header))).toEqual([]);
        expect(headers.join('').length).toBeLessThanOrEqual(4096);
      }),
      { numRuns: 100 },
    );
  });
});
