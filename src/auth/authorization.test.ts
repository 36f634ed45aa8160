import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAuthorization } from './authorization.ts';

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

describe('Authorization header', () => {
  it.each([
    [undefined, { kind: 'none' }],
    ['', { kind: 'none' }],
    ['Bearer abc.def', { kind: 'bearer', token: 'abc.def' }],
    ['bearer   abc', { kind: 'bearer', token: 'abc' }],
    [basic('eva:pass:word ü'), { kind: 'basic', name: 'eva', password: 'pass:word ü' }],
    [basic(':'), { kind: 'basic', name: '', password: '' }],
    [basic('nocolon'), { kind: 'unreadable' }],
    ['Basic %%%', { kind: 'unreadable' }],
    ['Bearer', { kind: 'unreadable' }],
    ['Digest x', { kind: 'unreadable' }],
    [`Bearer ${'x'.repeat(40_000)}`, { kind: 'unreadable' }],
  ])('%s', (header, expected) => expect(parseAuthorization(header)).toEqual(expected));

  it('never throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `Basic ${text}`),
        ),
        (header) => {
          expect(parseAuthorization(header).kind).toMatch(/^(none|basic|bearer|unreadable)$/);
        },
      ),
    );
  });
});
