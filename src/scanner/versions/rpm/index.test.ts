import { describe, expect, it } from 'vitest';
import { expectAscending } from '../expectations.testing.ts';
import { compareRpm } from './index.ts';

describe('rpm versions', () => {
  it.each([
    ['the epoch counts first', '9.9-9', '1:0.1-1', '10:0.1-1'],
    ['numbers compare as numbers', '1.9', '1.10', '1.99999999999999999999', '1.100000000000000000000'],
    ['tilde before the end, caret after it', '1.0~~', '1.0~rc1', '1.0', '1.0^', '1.0^git1', '1.0a', '1.0.1'],
    ['tilde and caret together', '1.0~rc1', '1.0~rc1^git1', '1.0^git1~pre', '1.0^git1'],
    ['letters are older than digits', '1.0.a', '1.0.1'],
    ['a longer version is newer', '1', '1a', '1.1'],
    ['no release is older than any', '1.0', '1.0-0', '1.0-1.el9', '1.0-1.el9_2.1', '1.0-2.el9'],
    ['the last hyphen begins the release', '1.0-1-2', '1.0-1-3'],
    ['upper case before lower case', '1.0A', '1.0a'],
  ])('%s: %j', (_, ...ascending) => expectAscending(compareRpm, ascending));

  it.each([
    ['0:1.0', '1.0'],
    [':1.0', '1.0'],
    ['1.01', '1.1'],
    ['1.0', '1_0'],
    ['1.0', '1..0.'],
    ['1.1.α', '1.1.β'],
  ])('%j = %j', (a, b) => expect(compareRpm(a, b)).toBe(0));

  it.each(['', ' ', '1 2', '1\t', '1.0\n', '1\u0000'])('takes %j for no version', (version) =>
    expect(compareRpm(version, '1.0')).toBeUndefined(),
  );
});
