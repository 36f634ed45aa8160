import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesGlob } from './repository-glob.ts';

function text(parts: readonly string[], maxLength: number): fc.Arbitrary<string> {
  return fc.array(fc.constantFrom(...parts), { maxLength }).map((list) => list.join(''));
}

describe('repository globs', () => {
  it.each([
    ['app', 'app', true],
    ['app', 'apps', false],
    ['team/*', 'team/app', true],
    ['team/*', 'team/a/b', false],
    ['team/*', 'team/', true],
    ['team/**', 'team/a/b', true],
    ['team/**', 'team', false],
    ['**', 'a/b/c', true],
    ['**/app', 'app', true],
    ['**/app', 'a/b/app', true],
    ['**/app', 'my-app', false],
    ['a/**/z', 'a/z', true],
    ['a/**/z', 'a/b/c/z', true],
    ['a/**/z', 'az', false],
    ['a*c', 'abbc', true],
    ['a*c', 'ab/c', false],
    ['a.c', 'abc', false],
    ['', '', true],
    ['*', '', true],
  ])('%s on %s: %s', (glob, path, expected) => {
    expect(matchesGlob(glob, path)).toBe(expected);
  });

  it('says what the equivalent regular expression says', () => {
    fc.assert(
      fc.property(text(['a', '/', '*', '**', '**/'], 6), text(['a', 'b', '/'], 6), (glob, path) => {
        const pattern = glob.replace(/(?<=^|\/)\*\*\/|\*\*|\*/g, (star) => {
          if (star === '**/') return '(?:.*/)?';
          return star === '**' ? '.*' : '[^/]*';
        });
        expect(matchesGlob(glob, path)).toBe(new RegExp(`^${pattern}$`).test(path));
      }),
      { numRuns: 2000 },
    );
  });

  it('takes no exponential time', () => {
    const started = performance.now();
    expect(matchesGlob(`${'*a'.repeat(120)}b`, 'a'.repeat(250))).toBe(false);
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
