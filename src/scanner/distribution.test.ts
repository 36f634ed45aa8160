import { describe, expect, it } from 'vitest';
import { distributionOf, parseOsRelease } from './distribution.ts';

const debianSid =
  'PRETTY_NAME="Debian GNU/Linux trixie/sid"\nNAME="Debian GNU/Linux"\nVERSION_CODENAME=trixie\nID=debian\n';

describe('distributionOf', () => {
  it.each([
    [
      'Alpine',
      { osRelease: 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME="Alpine Linux v3.20"\n' },
      { id: 'alpine', version: '3.20.3', prettyName: 'Alpine Linux v3.20', rolling: false },
    ],
    [
      'Alpine edge, which calls itself an alpha of the next release',
      { osRelease: 'ID=alpine\nVERSION_ID=3.21.0_alpha20240923\nPRETTY_NAME="Alpine Linux edge"\n' },
      { id: 'alpine', version: '3.21.0_alpha20240923', rolling: true },
    ],
    ['Alpine without os-release', { alpineRelease: '3.19.1\n' }, { id: 'alpine', version: '3.19.1', rolling: false }],
    [
      'Debian',
      { osRelease: 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n', debianVersion: '12.5\n' },
      { id: 'debian', version: '12', codename: 'bookworm', rolling: false },
    ],
    [
      'Debian with a codename only',
      { osRelease: 'ID=debian\nPRETTY_NAME="Debian GNU/Linux 11 (bullseye)"\n' },
      { id: 'debian', version: '11', codename: 'bullseye', rolling: false },
    ],
    [
      'Debian testing, which has no VERSION_ID',
      { osRelease: debianSid, debianVersion: 'trixie/sid\n' },
      { id: 'debian', version: '13', codename: 'trixie', rolling: true },
    ],
    ['Debian testing by os-release alone', { osRelease: debianSid }, { id: 'debian', version: '13', rolling: true }],
    ['Debian without os-release', { debianVersion: '9.13\n' }, { id: 'debian', version: '9', rolling: false }],
    [
      'a derivative',
      { osRelease: 'ID=\'linuxmint\'\nID_LIKE="ubuntu debian"\nVERSION_ID="21.3"\n' },
      { id: 'linuxmint', version: '21.3', idLike: ['ubuntu', 'debian'], rolling: false },
    ],
    [
      'a rolling derivative of Debian',
      { osRelease: 'ID=kali\nVERSION_ID="2026.3"\nID_LIKE=debian\nVERSION_CODENAME=kali-rolling\n' },
      { id: 'kali', idLike: ['debian'], rolling: true },
    ],
    ['an os-release that names nothing', { osRelease: 'garbage\n\0\n', alpineRelease: '3.1.0' }, { id: 'alpine' }],
  ])('recognises %s', (_what, texts, expected) => {
    expect(distributionOf(texts)).toMatchObject(expected);
  });

  it('says nothing when nothing says so', () => {
    expect(distributionOf({})).toBeUndefined();
  });
});

describe('parseOsRelease', () => {
  it('takes quotes and backslashes as a shell does, and the last of two values', () => {
    const text = [
      '# comment',
      'A="say \\"hi\\" \\$5 \\`x\\` \\\\"',
      "B='single $x'",
      'C=bare',
      '  D=indented',
      'E=first',
      'E=second',
      'lower=case',
      'no assignment',
    ].join('\r\n');
    expect(Object.fromEntries(parseOsRelease(text))).toEqual({
      A: 'say "hi" $5 `x` \\',
      B: 'single $x',
      C: 'bare',
      D: 'indented',
      E: 'second',
    });
  });
});
