import { describe, expect, it } from 'vitest';
import { expectAscending } from '../expectations.testing.ts';
import { compareNuGet } from './index.ts';

describe('NuGet versions', () => {
  it.each([
    ['four numbers', '1.0', '1.0.0.1', '1.0.1', '1.10', '2'],
    [
      'labels',
      '1.0.0-1',
      '1.0.0-2',
      '1.0.0-11',
      '1.0.0-alpha',
      '1.0.0-alpha.1',
      '1.0.0-ALPHA.beta',
      '1.0.0-rc',
      '1.0.0',
    ],
    ['labels beyond 32 bits are words', '1.0.0-5', '1.0.0-2147483647', '1.0.0-2147483648'],
    ['labels of a hyphen and digits are negative', '1.0.0--2', '1.0.0--1', '1.0.0-0'],
  ])('%s: %j', (_, ...ascending) => expectAscending(compareNuGet, ascending));

  it.each([
    ['1', '1.0.0.0'],
    ['1.02', '1.2'],
    ['1.0.0-RC1', '1.0.0-rc1'],
    ['1.0.0+a', '1.0.0+b'],
    ['1.0', ' 1.0 '],
  ])('%j = %j', (a, b) => expect(compareNuGet(a, b)).toBe(0));

  it.each(['', '1.0.0.0.0', '1.', '1.0-', '1.0-a..b', '1.0-01', '1.0+', '2147483648.0', '1.x', '1.*', '1.0_1', 'v1.0'])(
    'takes %j for no version',
    (version) => expect(compareNuGet(version, '1.0')).toBeUndefined(),
  );
});
