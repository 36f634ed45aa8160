import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Finding, VexStatus } from '../../model/finding.ts';
import { digestOf } from '../../oci/digest.ts';
import { applyVex, createVexWeighing } from './apply.ts';
import { parsePattern } from './purl-pattern.ts';
import type { VexProduct, VexStatement, VexSubject } from './types.ts';

const image = digestOf('image');
const NAMES = ['openssl', 'zlib', 'curl'] as const;
const IDS = ['CVE-2026-1', 'CVE-2026-2', 'CVE-2026-3'] as const;
const STATUSES: readonly VexStatus[] = ['affected', 'under_investigation', 'fixed', 'not_affected'];
const subject: VexSubject = {
  digests: [image],
  names: ['registry.example.com/front/app'],
  purls: NAMES.map((name) => `pkg:apk/alpine/${name}@1`),
};

const findings: readonly Finding[] = NAMES.flatMap((name) =>
  IDS.map((id) => ({
    id,
    aliases: [`GHSA-${id}`],
    package: { type: 'apk' as const, name, version: '1', purl: `pkg:apk/alpine/${name}@1`, path: 'db' },
    installed: '1',
    status: 'affected' as const,
    severities: [],
    advisories: [],
    source: 'test',
  })),
);

const patterns = (text: string) => [parsePattern(text)].filter((pattern) => pattern !== undefined);
const ofPackage = (name: string, version: string): VexProduct => ({
  digests: [],
  purls: patterns(`pkg:apk/alpine/${name}@${version}`),
  names: [],
  components: [],
});
const ofImage = (digest: VexProduct['digests'][number], component?: string): VexProduct => ({
  digests: [digest],
  purls: [],
  names: [],
  components: component === undefined ? [] : patterns(`pkg:apk/alpine/${component}`),
});
const product = fc.oneof(
  fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom('1', '2')).map(([name, version]) => ofPackage(name, version)),
  fc
    .tuple(fc.constantFrom(image, digestOf('other')), fc.option(fc.constantFrom(...NAMES), { nil: undefined }))
    .map(([digest, component]) => ofImage(digest, component)),
);
const statement: fc.Arbitrary<VexStatement> = fc.record({
  vulnerabilities: fc.constantFrom(...IDS.map((id) => [id]), ...IDS.map((id) => [`ghsa-${id}`])),
  products: fc.array(product, { minLength: 1, maxLength: 2 }),
  status: fc.constantFrom(...STATUSES),
  author: fc.constantFrom('a', 'b', 'c'),
  at: fc.nat(3),
  document: fc.constantFrom('x', 'y'),
});
const statements = fc.array(statement, { maxLength: 8 });
const order = fc.constantFrom([], ['a'], ['b', 'a'], ['c', 'b', 'a']);

describe('laws of VEX', () => {
  it('the order in which statements come never matters', () => {
    const shuffled = statements.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length })),
    );
    fc.assert(
      fc.property(shuffled, order, ([list, other], authors) => {
        const rules = { order: authors };
        expect(applyVex(findings, other, subject, rules)).toEqual(applyVex(findings, list, subject, rules));
        const outcomes = (some: readonly VexStatement[]) =>
          findings.map((finding) =>
            createVexWeighing(
              some,
              subject,
              rules,
            )(finding).considered.map(({ outcome, statement: said }) => [
              outcome,
              said.author,
              said.status,
              said.at,
              said.document,
            ]),
          );
        // Two that say the very same about different things may stand for each other.
        expect(outcomes(other)).toEqual(outcomes(list));
      }),
      { numRuns: 500 },
    );
  });

  it('a statement changes only findings it names, in the images and packages it names', () => {
    fc.assert(
      fc.property(statements, statement, (list, one) => {
        const before = applyVex(findings, list, subject);
        const after = applyVex(findings, [...list, one], subject);
        expect(after).toHaveLength(findings.length);
        for (const [at, finding] of findings.entries()) {
          if (JSON.stringify(before[at]) === JSON.stringify(after[at])) continue;
          const id = one.vulnerabilities[0]?.toUpperCase();
          expect([finding.id, `GHSA-${finding.id}`]).toContain(id);
          const named = one.products.some(({ digests, purls, components }) =>
            digests.length > 0
              ? digests.includes(image) && (components.length === 0 || components.some(isOf(finding)))
              : purls.some(isOf(finding)),
          );
          expect(named).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('what is objected to changes nothing', () => {
    fc.assert(
      fc.property(statements, statements, (list, objected) => {
        const refused = new Set(objected);
        const rules = { objectionTo: (one: VexStatement) => (refused.has(one) ? 'no' : undefined) };
        expect(applyVex(findings, [...list, ...objected], subject, rules)).toEqual(applyVex(findings, list, subject));
      }),
    );
  });

  it('the first author of the order decides, whatever the others say', () => {
    fc.assert(
      fc.property(statements, (list) => {
        for (const finding of findings) {
          const { decisive, considered } = createVexWeighing(list, subject, { order: ['b'] })(finding);
          const heard = considered.filter(({ outcome }) => ['decides', 'outranked', 'superseded'].includes(outcome));
          if (heard.some((one) => one.statement.author === 'b')) expect(decisive?.author).toBe('b');
          expect(decisive === undefined).toBe(heard.length === 0);
        }
      }),
    );
  });
});

function isOf({ package: pkg }: Finding) {
  return ({ path, version }: { readonly path: string; readonly version?: string }): boolean =>
    path === `alpine/${pkg.name}` && (version === undefined || version === pkg.version);
}
