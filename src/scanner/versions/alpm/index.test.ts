import { describe, expect, it } from 'vitest';
import { expectAscending } from '../expectations.testing.ts';
import { compareAlpm } from './index.ts';

describe('pacman versions', () => {
  it.each([
    ['the epoch counts first', '9.9-9', '1:0.1-1'],
    ['letters at once are older than the end', '1.0rc1-1', '1.0-1', '1.0.rc1-1', '1.0.1-1'],
    ['more separators are newer', '1.0-1', '1..0-1'],
    ['the pkgrel counts last', '1.0-1', '1.0-1.1', '1.0-2', '1.0-10'],
    ['numbers after letters are newer than the end', '1.a-1', '1.a1-1'],
    ['commits of a branch', '1.2.r9.gabc-1', '1.2.r10.gabc-1'],
  ])('%s: %j', (_, ...ascending) => expectAscending(compareAlpm, ascending));

  it.each([
    ['0:1.0-1', '1.0-1'],
    ['1.01-1', '1.1-1'],
    ['1.0', '1.0-1'],
    ['1.0-2', '1.0'],
    ['1.0-1', '1_0-1'],
  ])('%j = %j', (a, b) => expect(compareAlpm(a, b)).toBe(0));

  it.each(['', '1 2', '1.', '1-', '1:', '-1', '1.α'])('takes %j for no version', (version) =>
    expect(compareAlpm(version, '1.0')).toBeUndefined(),
  );
});
