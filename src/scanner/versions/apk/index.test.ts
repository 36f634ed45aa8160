import { describe, expect, it } from 'vitest';
import { compareApk } from './index.ts';

describe('apk versions', () => {
  it.each([
    ['the revision counts last', '1.2.3-r1', '1.2.3-r2'],
    ['no revision is older than revision 0', '1.0', '1.0-r0'],
    ['numbers compare as numbers', '1.9', '1.10'],
    ['more components are newer', '1.2', '1.2.1'],
    ['a leading zero makes a fraction', '1.09', '1.1'],
    ['more leading zeros make a smaller one', '1.00', '1.0'],
    ['a letter is newer than none', '1.1.1', '1.1.1a'],
    ['digits after a letter', '1.9.5p2-r0', '1.9.5p3-r0'],
    ['pre-releases are older', '1.2_rc1', '1.2'],
    ['alpha before beta', '1.2_alpha9', '1.2_beta1'],
    ['pre before rc', '1.2_pre3', '1.2_rc'],
    ['cvs snapshots are newer', '1.2', '1.2_cvs1'],
    ['git before p', '1.2_git20200101', '1.2_p1'],
    ['a suffix without number is older', '1.2_p', '1.2_p0'],
    ['a second pre-suffix is older', '1.2_p1_rc1', '1.2_p1'],
    ['a commit hash is newer than none', '1.2', '1.2~1a2b'],
    ['numbers of any length', '1.99999999999999999999', '1.100000000000000000000'],
  ])('%s: %s < %s', (_, older, newer) => {
    expect(compareApk(older, newer)).toBe(-1);
    expect(compareApk(newer, older)).toBe(1);
  });

  it('ignores leading zeros of the first number', () => expect(compareApk('01.2', '1.2')).toBe(0));

  it.each([
    '',
    'abc',
    '1.11-20-r0',
    '10.0.11-0',
    '2021-03-27-r5',
    '1.6rc1-r0',
    '1.0_foo',
    '1.0-r',
    '1.0 ',
    '0X1',
    `1.${'1'.repeat(300)}`,
  ])('takes %j for no version', (version) => expect(compareApk(version, '1.0')).toBeUndefined());
});
