import { describe, expect, it } from 'vitest';
import { expectAscending } from '../expectations.testing.ts';
import { comparePep440 } from './index.ts';

describe('Python versions', () => {
  it.each([
    [
      'the order of PEP 440',
      '1.dev0',
      '1.0.dev456',
      '1.0a1',
      '1.0a2.dev456',
      '1.0a12.dev456',
      '1.0a12',
      '1.0b1.dev456',
      '1.0b2',
      '1.0b2.post345.dev456',
      '1.0b2.post345',
      '1.0rc1.dev456',
      '1.0rc1',
      '1.0',
      '1.0+abc.5',
      '1.0+abc.7',
      '1.0+5',
      '1.0.post456.dev34',
      '1.0.post456',
      '1.0.15',
      '1.1.dev1',
    ],
    ['the epoch counts first', '2030.1', '1!1.0', '2!0.1'],
    ['numbers of any length', '1.99999999999999999999', '1.100000000000000000000'],
  ])('%s: %j', (_, ...ascending) => expectAscending(comparePep440, ascending));

  it.each([
    ['1.0', '1'],
    ['1.0.0', '1'],
    ['1.0-beta.2', '1.0b2'],
    ['1.0-BETA_02', '1.0b2'],
    ['1.0c1', '1.0rc1'],
    ['1.0preview1', '1.0rc1'],
    ['1.0-1', '1.0.post1'],
    ['1.0-r4', '1.0.post4'],
    ['v1.0', ' 1.0 '],
    ['1.0a', '1.0a0'],
    ['1.0+ubuntu-1', '1.0+ubuntu.1'],
  ])('%j = %j', (a, b) => expect(comparePep440(a, b)).toBe(0));

  it.each(['', 'abc', '1.0-', '1.0+', '1.0.x', '2004d-foo', '1.0alpha1beta1', '1!', '1.0+a+b', '1..0', 'latest'])(
    'takes %j for no version',
    (version) => expect(comparePep440(version, '1.0')).toBeUndefined(),
  );
});
