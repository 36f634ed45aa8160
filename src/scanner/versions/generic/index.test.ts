import { describe, expect, it } from 'vitest';
import { expectAscending } from '../expectations.testing.ts';
import { compareGeneric } from './index.ts';

describe('generic versions', () => {
  it.each([
    ['Python', '3.12.9', '3.13.0a1', '3.13.0b2', '3.13.0rc1', '3.13.0', '3.13.1'],
    ['OpenSSL', '1.1.1', '1.1.1a', '1.1.1b', '1.1.1w', '1.1.2'],
    ['Java', '17-ea+35', '17+35', '17.0.1+12', '17.0.2+8'],
    ['older Java', '1.8.0_382-b05', '1.8.0_392-b08', '1.8.0_392-b09'],
    ['PHP and Postgres', '16beta1', '16rc1', '16.0', '16.1', '17-dev'],
    ['Ruby', '3.3.0-preview1', '3.3.0', '3.3.0p1', '3.3.1'],
  ])('%s: %j', (_, ...ascending) => expectAscending(compareGeneric, ascending));

  it.each([
    ['v1.2.3', '1.2.3'],
    ['1.2', '1.2.0'],
    ['1.0-RC1', '1.0rc1'],
    ['1.0_1', '1-0.1'],
  ])('%j = %j', (a, b) => expect(compareGeneric(a, b)).toBe(0));

  it.each(['', 'abc', 'latest', '.1', '(devel)', '1.é'])('takes %j for no version', (version) =>
    expect(compareGeneric(version, '1.0')).toBeUndefined(),
  );
});
