import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ARBITRARY_VERSIONS } from './arbitrary.testing.ts';
import { compareVersions, type VersionScheme } from './index.ts';

const schemes = Object.keys(ARBITRARY_VERSIONS) as VersionScheme[];

describe.each(schemes)('the order of %s versions', (scheme) => {
  const compare = (a: string, b: string) => compareVersions(scheme, a, b);
  const version = ARBITRARY_VERSIONS[scheme];

  it('is total, reflexive, antisymmetric and transitive', () =>
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(compare(a, a)).toBe(0);
        const [ab, ba, bc, ac] = [compare(a, b), compare(b, a), compare(b, c), compare(a, c)];
        if (ab === undefined || ba === undefined || bc === undefined || ac === undefined) {
          throw new Error(`not comparable: ${a}, ${b}, ${c}`);
        }
        expect(ab).toBe(ba === 0 ? 0 : -ba);
        if (ab <= 0 && bc <= 0) expect(ac).toBeLessThanOrEqual(0);
        if (ab === 0 && bc === 0) expect(ac).toBe(0);
      }),
      { numRuns: 3000 },
    ));

  it('gives an order or says that there is none for any text, the same from both sides', () => {
    const broken = fc
      .tuple(version, fc.nat(40), fc.string({ maxLength: 3 }))
      .map(([text, at, other]) => text.slice(0, at) + other + text.slice(at + 1));
    fc.assert(
      fc.property(fc.oneof(fc.string(), broken), fc.oneof(fc.string(), broken), (a, b) => {
        const [ab, ba] = [compare(a, b), compare(b, a)];
        expect([-1, 0, 1, undefined]).toContain(ab);
        expect(ba).toBe(ab === undefined || ab === 0 ? ab : -ab);
      }),
      { numRuns: 2000 },
    );
  });

  it('takes no text longer than 256 characters, nor an empty one', () => {
    expect(compare('1'.repeat(257), '1')).toBeUndefined();
    expect(compare('1', `1${'.1'.repeat(200)}`)).toBeUndefined();
    expect(compare('', '')).toBeUndefined();
  });

  it('needs microseconds for the most hostile text', () => {
    const ends = ['', '!', '-', '_a-', ' ', '\u0000'];
    const bodies = [
      '1',
      '0',
      '1.',
      '1-',
      'a',
      'a1',
      '-',
      '.',
      '1a',
      ' ',
      '~',
      '^',
      '.0',
      '-0',
      '1.a',
      '-1',
      '_p',
      'dev',
      '1_',
      '+',
      'é',
    ];
    const hostile = bodies.flatMap((body) =>
      ends.map((end) => `1${body.repeat(255)}`.slice(0, 256 - end.length) + end),
    );
    const slowest = Math.max(...hostile.map((text) => timeOf(() => compare(text, `${text.slice(0, -1)}2`))));
    expect(slowest).toBeLessThan(1);
  });
});

/** Milliseconds of the fastest of a few runs, so that a pause of the machine does not count. */
function timeOf(run: () => unknown): number {
  return Math.min(
    ...Array.from({ length: 8 }, () => {
      const start = performance.now();
      run();
      return performance.now() - start;
    }),
  );
}
