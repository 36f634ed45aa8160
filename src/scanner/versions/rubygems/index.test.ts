import { describe, expect, it } from 'vitest';
import { expectAscending } from '../expectations.testing.ts';
import { compareRubyGems } from './index.ts';

describe('gem versions', () => {
  it.each([
    ['words make a pre-release', '1.0.a', '1.0.b1', '1.0.b2', '1.0.b10', '1.0.rc1', '1.0', '1.0.1'],
    ['a hyphen does too', '1.0-alpha', '1.0-beta', '1.0'],
    ['more of a pre-release', '1.a.b', '1.a', '1.a.1'],
    ['numbers compare as numbers', '1.9', '1.10'],
    ['upper case before lower case', '1.0.A', '1.0.a'],
  ])('%s: %j', (_, ...ascending) => expectAscending(compareRubyGems, ascending));

  it.each([
    ['1', '1.0'],
    ['1.0.0', '1'],
    ['1.0.a', '1.a'],
    ['1.a.0', '1.a'],
    ['1.0-rc1', '1.0.pre.rc1'],
    ['1-0rc', '1-rc'],
    [' 1.0 ', '1.0'],
    ['1.a00', '1.a'],
  ])('%j = %j', (a, b) => expect(compareRubyGems(a, b)).toBe(0));

  it.each(['', ' ', 'a', '1..0', '1.0.', '.1', '1_0', '1.0+1', '1.0-'])('takes %j for no version', (version) =>
    expect(compareRubyGems(version, '1.0')).toBeUndefined(),
  );
});
