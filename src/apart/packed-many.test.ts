import { deserialize, serialize } from 'node:v8';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { foundIn } from '../findings/found.ts';
import type { FindingLine } from '../findings/known-findings.ts';
import type { Reason } from '../model/verdict.ts';
import type { Prepared } from '../verdicts/prepared.ts';
import { createPacker, createUnpacker } from './packed-many.ts';

const reason: fc.Arbitrary<Reason> = fc
  .record({
    kind: fc.constantFrom('block' as const, 'warn' as const),
    vulnerability: fc.constantFrom('CVE-1', 'CVE-2', 'CVE-3'),
    package: fc.constantFrom('musl', 'zlib'),
    severity: fc.constantFrom('low' as const, 'high' as const),
    aliases: fc.subarray(['GHSA-1', 'GHSA-2']),
    epss: fc.constantFrom(0.1, 0.2),
    firstSeen: fc.nat(),
  })
  .map((fields) => ({ ...fields, rule: 'severity-fixable', installed: '1', source: 'osv', message: 'm' }));
const part = fc.array(fc.array(reason, { maxLength: 5 }), { maxLength: 4 });

it('gives what the list of findings needs to another process, part after part', () => {
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
      const [pack, unpack, lines] = [createPacker(), createUnpacker(), new WeakMap<Reason, FindingLine>()];
      for (const images of parts) {
        const replacements = images.map(
          (reasons) => ({ previous: 'allow', found: foundIn({ reasons, judgedAt: 1 }, lines) }) as unknown as Prepared,
        );
        const packed = serialize(pack({ subjects: [], replacements }));
        const there = unpack(deserialize(packed) as never);
        const last = new Map(
          replacements.flatMap(({ found }) => found.map(({ line }) => [line.identity, line.reason])),
        );
        expect(
          there.replacements.map(({ found }) => found.map(({ status, firstSeen }) => [status, firstSeen])),
        ).toEqual(replacements.map(({ found }) => found.map(({ status, firstSeen }) => [status, firstSeen])));
        for (const { line } of there.replacements.flatMap(({ found }) => found))
          expect(last.get(line.identity)).toMatchObject(line.reason);
      }
    }),
  );
});

it('tells a line once', () => {
  const [pack, lines] = [createPacker(), new WeakMap<Reason, FindingLine>()];
  const one: Reason = fc.sample(reason, 1)[0] as Reason;
  const replacements = [{ found: foundIn({ reasons: [one], judgedAt: 1 }, lines) } as unknown as Prepared];
  expect(pack({ subjects: [], replacements }).lines).toHaveLength(1);
  expect(pack({ subjects: [], replacements }).lines).toHaveLength(0);
});

it('takes nothing of a packer that does not know what the one before it told', () => {
  const unpack = createUnpacker();
  unpack(createPacker()({ subjects: [], replacements: [] }));
  expect(() => unpack(createPacker()({ subjects: [], replacements: [] }))).toThrow(RangeError);
});
