import { describe, expect, it } from 'vitest';
import { expectAscending } from '../expectations.testing.ts';
import { comparePackagist } from './index.ts';

describe('Composer versions', () => {
  it.each([
    [
      'stabilities',
      '1.0-dev',
      '1.0-alpha1',
      '1.0-beta1-dev',
      '1.0-beta1',
      '1.0-beta2',
      '1.0-RC1',
      '1.0-RC10',
      '1.0',
      '1.0-patch1',
      '1.0.1',
    ],
    ['branches by number are newer than their releases', '1.9.9', '1.x-dev', '2.0-dev', '2.0', '2.1.x-dev'],
    ['dates', '2022.12.31', '2023-01-02', '2023.1.3', '20230102', '20230102.101010'],
  ])('%s: %j', (_, ...ascending) => expectAscending(comparePackagist, ascending));

  it.each([
    ['v1.0', '1.0.0.0'],
    ['1.0-p1', '1.0.0-patch1'],
    ['1.0pl1', '1.0.0-patch1'],
    ['1.0a1', '1.0.0-ALPHA.1'],
    ['1.0-stable', '1.0'],
    ['1.0+build', '1.0'],
    ['1.0@dev', '1.0'],
    ['1.0 as 2.0', '1.0'],
    ['1.X-dev', '1.*-dev'],
  ])('%j = %j', (a, b) => expect(comparePackagist(a, b)).toBe(0));

  it.each(['', 'dev-main', 'dev-1.0', 'master', 'main', '1.0.0.0.0', '1.0-foo', '1.x', '^1.0', '1.0 - 2.0'])(
    'takes %j for no version',
    (version) => expect(comparePackagist(version, '1.0')).toBeUndefined(),
  );
});
