import { describe, expect, it } from 'vitest';
import { expectAscending } from '../expectations.testing.ts';
import { compareBitnami } from './index.ts';

describe('Bitnami versions', () => {
  it.each([
    ['revisions are newer', '1.2.3', '1.2.3-0', '1.2.3-1', '1.2.3-2', '1.2.3-10', '1.2.4'],
    ['numbers before words', '1.2.3-1', '1.2.3-1.1', '1.2.3-a'],
  ])('%s: %j', (_, ...ascending) => expectAscending(compareBitnami, ascending));

  it.each([
    ['1.2', '1.2.0'],
    ['v1.2.3', '1.2.3'],
    ['1.2.3+a', '1.2.3+b'],
    ['2021.03.04', '2021.3.4'],
  ])('%j = %j', (a, b) => expect(compareBitnami(a, b)).toBe(0));

  it.each(['', '1.2.3.4', 'a', '1.2.3-', '1.2.3_1'])('takes %j for no version', (version) =>
    expect(compareBitnami(version, '1.0')).toBeUndefined(),
  );
});
