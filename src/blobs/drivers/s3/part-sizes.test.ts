import { describe, expect, it } from 'vitest';
import { partSizes } from './part-sizes.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

describe('part sizes', () => {
  it('hold 100 GiB in few parts, and more than a terabyte in all', () => {
    const sizes = partSizes(undefined);
    let total = 0;
    let for100 = 0;
    for (let number = 1; number <= 10_000; number += 1) {
      if (total < 100 * GIB) for100 = number;
      total += sizes.full(number);
    }
    expect(for100).toBeLessThan(3000);
    expect(total).toBeGreaterThan(1024 * GIB);
  });

  it('hold 100 GiB even when a client sends the smallest chunks that become parts of their own', () => {
    const sizes = partSizes(undefined);
    let total = 0;
    for (let number = 1; number <= 10_000; number += 1) total += sizes.enough(number);
    expect(total).toBeGreaterThan(100 * GIB);
  });

  it.each([undefined, 5 * MIB])('are always what S3 takes (%s)', (uniform) => {
    const sizes = partSizes(uniform);
    for (let number = 1; number <= 10_000; number += 1) {
      expect(sizes.enough(number)).toBeGreaterThanOrEqual(5 * MIB);
      expect(sizes.enough(number)).toBeLessThanOrEqual(sizes.full(number));
      expect(sizes.full(number)).toBeLessThanOrEqual(5 * GIB);
    }
  });

  it('are all the same where the store wants it', () => {
    const sizes = partSizes(7 * MIB);
    expect([1, 2, 5000, 10_000].map((number) => sizes.full(number))).toEqual([7, 7, 7, 7].map((size) => size * MIB));
    expect(sizes.enough(3)).toBe(7 * MIB);
    expect(() => sizes.full(10_001)).toThrow('70000 MiB');
  });

  it('end where S3 ends', () => expect(() => partSizes(undefined).full(10_001)).toThrow('10000 parts'));
});
