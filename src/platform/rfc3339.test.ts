import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseRfc3339 } from './rfc3339.ts';

it('reads what others write', () => {
  const date = fc.date({
    min: new Date('0001-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59Z'),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(date, (at) => {
      expect(parseRfc3339(at.toISOString())).toBe(at.getTime());
    }),
  );
});

it.each([
  ['2026-11-20T01:00:00+01:00', '2026-11-20T00:00:00.000Z'],
  ['2026-11-20t00:00:00.123456789z', '2026-11-20T00:00:00.123Z'],
  ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
])('reads %s', (text, iso) => {
  expect(new Date(parseRfc3339(text) ?? Number.NaN).toISOString()).toBe(iso);
});

it.each([
  '',
  '2026-11-20',
  '20261125',
  'Nov 20 2026',
  '2026-02-20T00:00:00',
  '2026-02-30T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-00-01T00:00:00Z',
  '2026-01-01T24:00:00Z',
  '2026-01-01T00:60:00Z',
  '2026-01-01T00:00:00+24:00',
  '2026-01-01 00:00:00Z',
  ' 2026-01-01T00:00:00Z',
  '+12026-01-01T00:00:00Z',
])('takes %j for none', (text) => {
  expect(parseRfc3339(text)).toBeUndefined();
});
