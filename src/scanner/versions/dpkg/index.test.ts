import { describe, expect, it } from 'vitest';
import { compareDpkg } from './index.ts';

describe('dpkg versions', () => {
  it.each([
    ['the epoch counts first', '9.9-9', '1:0.1-1'],
    ['numbers compare as numbers', '1.9', '1.10'],
    ['tilde sorts before the end', '1.0~rc1', '1.0'],
    ['more tildes are older', '1.0~~', '1.0~'],
    ['tilde in the revision', '1.0-1~bpo12+1', '1.0-1'],
    ['a rebuild is newer', '1.0-1', '1.0-1+b1'],
    ['letters before other signs', '1.0a', '1.0+'],
    ['the end before letters', '1.0', '1.0a'],
    ['no revision is older than a positive one', '1.0', '1.0-1'],
    ['security updates', '252.39-1~deb12u1', '252.39-1~deb12u2'],
    ['the last hyphen begins the revision', '1.0-2-1', '1.0-10-1'],
    ['numbers of any length', '1.99999999999999999999', '1.100000000000000000000'],
    ['upper case before lower case', '1.0A', '1.0a'],
  ])('%s: %s < %s', (_, older, newer) => {
    expect(compareDpkg(older, newer)).toBe(-1);
    expect(compareDpkg(newer, older)).toBe(1);
  });

  it.each([
    ['0:1.0', '1.0'],
    ['1.0', '1.0-0'],
    ['1.01', '1.1'],
  ])('%s = %s', (a, b) => expect(compareDpkg(a, b)).toBe(0));

  it.each(['', ' ', '1 2', ':1', 'a:1', '1:', '1-', '99999999999:1', '1.0_2', '1.0-1:2', '<end-of-life>'])(
    'takes %j for no version',
    (version) => expect(compareDpkg(version, '1.0')).toBeUndefined(),
  );
});
