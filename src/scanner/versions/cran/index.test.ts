import { describe, expect, it } from 'vitest';
import { expectAscending } from '../expectations.testing.ts';
import { compareCran } from './index.ts';

describe('R package versions', () => {
  it.each([
    ['a longer one is newer', '1.0', '1.0.0', '1.0.0.9000', '1.0.1'],
    ['numbers compare as numbers', '1-9', '1.10', '2'],
  ])('%s: %j', (_, ...ascending) => expectAscending(compareCran, ascending));

  it.each([
    ['1.0-1', '1.0.1'],
    ['01.2', '1.02'],
  ])('%j = %j', (a, b) => expect(compareCran(a, b)).toBe(0));

  it.each(['', '1.', '.1', '1..2', '1.0a', '1_0', '1.0-rc1'])('takes %j for no version', (version) =>
    expect(compareCran(version, '1.0')).toBeUndefined(),
  );
});
