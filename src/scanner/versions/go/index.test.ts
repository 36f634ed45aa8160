import { describe, expect, it } from 'vitest';
import { expectAscending } from '../expectations.testing.ts';
import { compareGo } from './index.ts';

describe('Go versions', () => {
  it.each([
    ['releases of Go', 'go1.20.14', 'go1.21rc1', 'go1.21rc2', 'go1.21.0', 'go1.21.10', 'go1.22beta1', 'go1.22'],
    ['the lower bounds of the vulnerability database', '1.23.9', '1.24.0-0', 'go1.24rc1', 'go1.24.0'],
    [
      'pseudo-versions',
      'v0.0.0-20200101000000-0123456789ab',
      'v0.0.0-20210101000000-0123456789ab',
      'v0.0.1-0.20210101000000-0123456789ab',
      'v0.0.1',
    ],
    ['incompatible ones', 'v1.9.0', 'v2.0.0+incompatible', 'v2.0.1'],
  ])('%s: %j', (_, ...ascending) => expectAscending(compareGo, ascending));

  it.each([
    ['v1.2.3', '1.2.3'],
    ['go1.24', 'go1.24.0'],
    ['go1.24.0', '1.24.0'],
    ['go1.21rc1', '1.21.0-rc.1'],
    ['1.21rc1', 'go1.21rc1'],
    ['v2.0.0+incompatible', 'v2.0.0'],
    ['go1.20.12-vendor', 'go1.20.12'],
    ['go1.22.1 X:boringcrypto', 'go1.22.1'],
  ])('%j = %j', (a, b) => expect(compareGo(a, b)).toBe(0));

  it.each([
    '',
    '(devel)',
    'devel go1.22-abcdef',
    'v1.02.3',
    'v1.2.3-01',
    '1.2.3.4',
    'unknown',
    'go',
    'v1.2.3-',
    'master',
  ])('takes %j for no version', (version) => expect(compareGo(version, '1.0')).toBeUndefined());
});
