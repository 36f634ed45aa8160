import { describe, expect, it } from 'vitest';
import { expectAscending } from '../expectations.testing.ts';
import { compareMaven } from './index.ts';

describe('Maven versions', () => {
  it.each([
    [
      'qualifiers',
      '1-alpha',
      '1-alpha-1',
      '1-beta',
      '1-milestone',
      '1-rc',
      '1-SNAPSHOT',
      '1',
      '1-sp',
      '1-abc',
      '1-xyz',
      '1-1',
      '1.1',
    ],
    ['single letters with a number', '1-a1', '1-b1', '1-m1', '1-rc1', '1'],
    ['a dot counts more than a hyphen', '1-rc1', '1', '1-1', '1-1.1', '1.1'],
    ['words before numbers', '1.0.RC2', '1.0-RC3', '1.0.1'],
    ['vendors', '4.1.0.Final', '4.1.0.Final-redhat-1', '4.1.0.Final-redhat-2', '4.1.1.Final'],
    ['builds for a platform', '31.0-android', '31.0-jre', '31.1-android'],
    ['candidates of a snapshot', '2.0-rc-1-SNAPSHOT', '2.0-rc-1'],
    ['a release with a number', '1-ga', '1-ga1', '1-ga2'],
    ['zero and words', '0-rc', '0', 'x'],
    ['numbers of any length', '1.99999999999999999999', '1.100000000000000000000'],
  ])('%s: %j', (_, ...ascending) => expectAscending(compareMaven, ascending));

  it.each([
    ['1', '1.0'],
    ['1', '1.0.0'],
    ['1', '1-ga'],
    ['1.Final', '1-RELEASE'],
    ['1-cr1', '1-rc1'],
    ['1-rc-1', '1-rc1'],
    ['1-a1', '1-ALPHA-1'],
    ['1.0-0', '1'],
    ['1.0.0-x', '1-x'],
    ['01', '1'],
  ])('%j = %j', (a, b) => expect(compareMaven(a, b)).toBe(0));

  it.each(['', ' ', '1 0', '[1.0,2.0 )', '1.é'])('takes %j for no version', (version) =>
    expect(compareMaven(version, '1.0')).toBeUndefined(),
  );
});
