import { describe, expect, it } from 'vitest';
import { partsOf } from './parts.ts';

const asked = (count: number, reason: string) =>
  Array.from({ length: count }, (_, at) => ({
    vulnerability: `CVE-2024-${at}`,
    reason,
    until: '2027-01-31T00:00:00Z',
  }));

describe('what is asked for in parts', () => {
  it('goes in order, at most a thousand together', () => {
    const all = asked(2001, 'r');
    const parts = partsOf(all);
    expect(parts.map(({ length }) => length)).toEqual([1000, 1000, 1]);
    expect(parts.flat()).toEqual(all);
    expect(partsOf([])).toEqual([]);
  });

  it('stays below a megabyte, counted in bytes', () => {
    const parts = partsOf(asked(1000, 'ü'.repeat(3000)));
    expect(parts.flat()).toHaveLength(1000);
    for (const part of parts) expect(Buffer.byteLength(JSON.stringify({ exceptions: part }))).toBeLessThan(1_000_000);
  });
});
