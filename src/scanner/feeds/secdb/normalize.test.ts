import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { idsOfLine, normalizeSecdb } from './normalize.ts';

describe('ids of a secdb line', () => {
  it.each([
    ['CVE-2020-1234', [['CVE-2020-1234']]],
    ['CVE-2016-1234 (+ regression fix)', [['CVE-2016-1234']]],
    ['CVE_2019-1234', [['CVE-2019-1234']]],
    ['CVE-2016-9377 XSA-196', [['CVE-2016-9377']]],
    ['CVE-2020-1 CVE-2020-1111, CVE-2020-2222', [['CVE-2020-1111'], ['CVE-2020-2222']]],
    ['GHSA-2222-3333-4444 CVE-2020-1234', [['CVE-2020-1234', 'GHSA-2222-3333-4444']]],
    ['XSA-123', [['XSA-123']]],
    ['CVE-2018-1234-5', [['CVE-2018-1234-5']]],
    ['CVE-2018-1234.patch', [['CVE-2018-1234']]],
    ['', []],
    ['  ', []],
  ])('%j', (line, ids) => expect(idsOfLine(line)).toEqual(ids));

  it('takes any text', () =>
    fc.assert(fc.property(fc.string(), (line) => idsOfLine(line).every((ids) => ids.length > 0))));
});

describe('secdb packages', () => {
  const secfixes = {
    '1.0-r1': ['CVE-2020-0001'],
    '1.0-r3': ['CVE-2020-0001 (incomplete before)'],
    '0': ['CVE-2020-0002', 'CVE-2020-0001'],
    '1.11-20-r0': ['CVE-2020-0003'],
    '2.0-r0': null,
  };
  const record = normalizeSecdb('v3.20', { name: 'p', secfixes });

  it('gives every fix, the second of an incomplete one included', () => {
    const fixes = record.facts.flatMap((fact) =>
      fact.kind === 'statement' && !fact.statement.never ? [fact.statement] : [],
    );
    expect(fixes.map(({ advisory, ranges }) => [advisory, ranges])).toEqual([
      ['ALPINE-CVE-2020-0001', [{ fixed: '1.0-r1' }]],
      ['ALPINE-CVE-2020-0001', [{ fixed: '1.0-r3' }]],
    ]);
  });

  it('gives "never affected" as a negative statement, unless the package names a fix', () => {
    const never = record.facts.flatMap((fact) =>
      fact.kind === 'statement' && fact.statement.never ? [fact.statement] : [],
    );
    expect(never.map(({ vulnerabilities }) => vulnerabilities)).toEqual([[['CVE-2020-0002']]]);
    expect(record.facts).toContainEqual(expect.objectContaining({ problem: 'contradiction' }));
  });

  it('skips and counts invalid versions', () =>
    expect(record.facts).toContainEqual(expect.objectContaining({ problem: 'invalid-version', detail: '1.11-20-r0' })));
});
