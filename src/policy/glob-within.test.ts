import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isGlobWithin } from './glob-within.ts';
import { matchesGlob } from './repository-glob.ts';

const joined = (parts: readonly string[], maxLength: number) =>
  fc.array(fc.constantFrom(...parts), { maxLength }).map((list) => list.join(''));
const glob = joined(['a', 'b', '/', '*', '**', '**/'], 5);

describe('globs within globs', () => {
  it.each([
    ['team/app', 'team/*', true],
    ['team/*', 'team/**', true],
    ['team/**', 'team/*', false],
    ['team/a*', 'team/*', true],
    ['team/*', 'team/a*', false],
    ['**', '**', true],
    ['*', '**', true],
    ['app', '**/app', true],
    ['team/app', '**/app', true],
    ['team/my-app', '**/app', false],
    ['other/app', 'team/**', false],
  ])('%s within %s: %s', (inner, outer, expected) => {
    expect(isGlobWithin(inner, outer)).toBe(expected);
  });

  it('what lies within another matches nothing that the other does not, and the other way round somewhere', () => {
    fc.assert(
      fc.property(
        glob,
        glob,
        fc.array(joined(['a', 'b', 'c', '/'], 6), { minLength: 40, maxLength: 40 }),
        (a, b, paths) => {
          if (isGlobWithin(a, b))
            for (const path of paths) expect(matchesGlob(b, path) || !matchesGlob(a, path)).toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('lies within itself', () => {
    fc.assert(
      fc.property(glob, (one) => {
        expect(isGlobWithin(one, one)).toBe(true);
      }),
    );
  });

  it('gives up on what takes too long, and says no', () => {
    const started = performance.now();
    isGlobWithin(`${'*a'.repeat(8)}b`, `${'*b'.repeat(8)}a`);
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
