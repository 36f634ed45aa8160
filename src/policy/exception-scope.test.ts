import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Reason, Verdict } from '../model/verdict.ts';
import { concernsFinding, concernsImage, isInForce } from './exception-match.ts';
import { judge } from './judge.ts';
import { anException, DAY, inputs, NOW, SUBJECT } from './judging.testing.ts';

const exception = fc
  .record({
    vulnerability: fc.constantFrom('CVE-2024-0001', 'CVE-2024-0002', 'GHSA-aaaa-bbbb-cccc'),
    name: fc.constantFrom(undefined, 'openssl', 'busybox'),
    repository: fc.constantFrom(undefined, 'team/*', 'other/**'),
    from: fc.integer({ min: -9, max: 2 }).map((days) => NOW + days * DAY),
    length: fc.integer({ min: 1, max: 12 }),
  })
  .map(({ vulnerability, name, repository, from, length }) =>
    anException({
      id: 'the-one',
      vulnerability,
      from,
      until: from + length * DAY,
      ...(name === undefined ? {} : { package: { name } }),
      ...(repository === undefined ? {} : { repository }),
    }),
  );

/** What is said of a vulnerability in a package. */
function saidOf(reasons: readonly Reason[]): Map<string, unknown> {
  const byThing = Map.groupBy(reasons, ({ vulnerability, package: name, rule }) => `${vulnerability ?? rule} ${name}`);
  return new Map([...byThing].map(([key, list]) => [key, list]));
}

describe('the scope of an exception', () => {
  it('is the findings it names, while it is in force: of all others a verdict says the same with and without it', () => {
    let changed = 0;
    fc.assert(
      fc.property(inputs, exception, (input, one) => {
        const without = judge(input);
        const withIt = judge({ ...input, exceptions: [...input.exceptions, one] });
        const named = input.findings.filter(
          (finding) =>
            isInForce(one, NOW) &&
            concernsFinding(one, finding) &&
            concernsImage(one, { repository: input.repository, digest: SUBJECT }),
        );
        const names = new Set(named.map(({ id, package: { name } }) => `${id} ${name}`));
        const [before, after] = [saidOf(without.reasons), saidOf(withIt.reasons)];
        expect([...after.keys()].sort()).toEqual([...before.keys()].sort());
        for (const [key, said] of after) {
          if (names.has(key)) continue;
          expect(said).toEqual(before.get(key));
        }
        const all = ({ counts: { total, suppressed } }: Verdict) => total + suppressed;
        expect(all(withIt)).toBe(all(without));
        if (named.length === 0) expect(withIt.kind).toBe(without.kind);
        else changed += 1;
      }),
      { numRuns: 2000 },
    );
    expect(changed).toBeGreaterThan(100);
  });
});
