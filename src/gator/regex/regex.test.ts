import { describe, expect, it } from 'vitest';
import { messageOf } from '../../platform/errors.ts';
import { compileRegex } from './regex.ts';

function errorOf(pattern: string): string {
  try {
    compileRegex(pattern);
    return 'none';
  } catch (error) {
    return messageOf(error);
  }
}

describe('a regular expression of Go', () => {
  it.each([
    ['container', 'initContainer <a>', false],
    ['(?i)container', 'initContainer <a>', true],
    ['^container', 'the container', false],
    ['allowed (repos|images) are \\[', 'allowed repos are ["a"]', true],
    ['<[[:alpha:]]+>', '<web>', true],
    ['\\bweb\\b', 'a web-server', true],
    ['a{2,3}$', 'baaa', true],
    ['(?m)^b$', 'a\nb', true],
    ['^b$', 'a\nb', false],
    ['.', '\n', false],
    ['(?s).', '\n', true],
    ['\\p{Greek}', 'Ω', true],
    ['(?i)k', 'K', true],
    ['[^[:^digit:]]', '7', true],
    ['\\Qa.b\\E', 'a.b', true],
    ['x{2', 'x{2', true],
    ['', '', true],
  ])('%s on %j: %s', (pattern, text, matches) => {
    expect(compileRegex(pattern).test(text)).toBe(matches);
  });

  it.each([
    ['[', 'missing closing ]: `[`'],
    ['a(b', 'missing closing ): `a(b`'],
    ['a)', 'unexpected ): `a)`'],
    ['*a', 'missing argument to repetition operator: `*`'],
    ['a**', 'invalid nested repetition operator: `**`'],
    ['(?=a)', 'invalid or unsupported Perl syntax: `(?=`'],
    ['(a)\\1', 'invalid escape sequence: `\\1`'],
    ['a{1001}', 'invalid repeat count: `{1001}`'],
    ['[b-a]', 'invalid character class range: `b-a`'],
    ['a\\', 'trailing backslash at end of expression: ``'],
  ])('%s is refused as Go refuses it', (pattern, message) => {
    expect(errorOf(pattern)).toBe(`error parsing regexp: ${message}`);
  });

  it('ends in time that grows with the text only, whatever it says', () => {
    const text = 'a'.repeat(20_000);
    expect(compileRegex('(a*)*b').test(text)).toBe(false);
    expect(compileRegex('(a|a)+$').test(`${text}b`)).toBe(false);
    expect(compileRegex('(.*a){20}x').test(text.slice(0, 2000))).toBe(false);
  });

  it('is refused when its counts make it too large', () => {
    expect(errorOf('((a{100}){100}){100}')).toContain('expression too large');
    expect(errorOf('('.repeat(2000))).toContain('expression nests too deeply');
  });
});
