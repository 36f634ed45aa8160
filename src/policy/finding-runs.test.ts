import { describe, expect, it } from 'vitest';
import type { Finding } from '../model/finding.ts';
import { runsOf } from './finding-runs.ts';
import { aFinding } from './judging.testing.ts';

function found(name: string, ...ids: readonly string[]): Finding[] {
  const { package: pkg } = aFinding({ name });
  return ids.map((id) => ({ ...aFinding({ id }), package: pkg }));
}

describe('runs of findings', () => {
  const musl = found('musl', 'CVE-1', 'CVE-2');
  const zlib = found('zlib', 'CVE-3');

  it('are those of one package that follow each other, and all there are', () => {
    expect(runsOf([...musl, ...zlib])).toEqual([musl, zlib]);
    expect(runsOf([])).toEqual([]);
  });

  it('are the very same for the very same findings, wherever these are', () => {
    const [first] = runsOf([...musl, ...zlib]);
    const [, again] = runsOf([...zlib, ...musl]);
    expect(again).toBe(first);
  });

  it('hold exactly what is there where some of it is missing, or in another order', () => {
    const [one, other] = musl;
    if (!one || !other) throw new Error('no findings');
    runsOf(musl);
    expect(runsOf([one, ...zlib]).flat()).toEqual([one, ...zlib]);
    expect(runsOf([other, one]).flat()).toEqual([other, one]);
    expect(runsOf([one, ...zlib, other]).flat()).toEqual([one, ...zlib, other]);
  });
});
