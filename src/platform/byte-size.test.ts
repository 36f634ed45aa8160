import { expect, it } from 'vitest';
import { formatBytes, parseBytes } from './byte-size.ts';

it.each([
  ['0', 0],
  ['17', 17],
  ['50GB', 50e9],
  ['50 gb', 50e9],
  ['1.5T', 1.5e12],
  ['512MiB', 512 * 1024 ** 2],
  ['1kB', 1000],
  [' 7 ', 7],
])('%j are %d bytes', (text, bytes) => expect(parseBytes(text)).toBe(bytes));

it.each(['', '-1', 'GB', '1e3', '1.GB', '5iB', '5 G B', '9999999999PB', '0x10', '1,5GB', 'unlimited', '٣'])(
  '%j is no size',
  (text) => expect(parseBytes(text)).toBeUndefined(),
);

it('reads what it writes', () => {
  for (const bytes of [0, 999, 1500, 2_900_000, 50e9, 3e12]) expect(parseBytes(formatBytes(bytes))).toBe(bytes);
});
