import { describe, expect, it } from 'vitest';
import { compareSemver } from './index.ts';

/** The chains of examples in Semantic Versioning 2.0.0 §11. */
const CHAINS = [
  ['1.0.0', '2.0.0', '2.1.0', '2.1.1'],
  [
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-rc.1',
    '1.0.0',
  ],
];

describe('semantic versions', () => {
  it.each(CHAINS)('orders the examples of the specification %#', (...chain) => {
    for (const [i, a] of chain.entries()) {
      for (const [j, b] of chain.entries()) expect(compareSemver(a, b), `${a} ${b}`).toBe(Math.sign(i - j));
    }
  });

  it.each([
    ['1.0.0+a', '1.0.0+b'],
    ['v1.2.3', '1.2.3'],
    ['=1.2.3', '1.2.3'],
    ['1.2', '1.2.0'],
    ['1', '1.0.0'],
    ['1.2.3beta', '1.2.3-beta'],
  ])('%s = %s', (a, b) => expect(compareSemver(a, b)).toBe(0));

  it.each([
    ['1.2.4-0', '1.2.4'],
    ['1.2.3', '1.2.4-0'],
    ['1.0.0-1', '1.0.0-a'],
    ['1.0.0-9', '1.0.0-10'],
    ['1.0.0-A', '1.0.0-a'],
    ['9007199254740993.0.0', '9007199254740994.0.0'],
  ])('%s < %s', (older, newer) => {
    expect(compareSemver(older, newer)).toBe(-1);
    expect(compareSemver(newer, older)).toBe(1);
  });

  it.each([
    '',
    'latest',
    '1.2.3.4',
    '1.x',
    '*',
    '>=1.0.0',
    '1.0.0-',
    '1.0.0-a..b',
    'workspace:*',
    `1.0.0-${'a'.repeat(300)}`,
  ])('takes %j for no version', (version) => expect(compareSemver(version, '1.0.0')).toBeUndefined());
});
