import fc from 'fast-check';
import { canonicalJson } from '../../src/oci/canonical.ts';
import type { Assessments } from '../../src/policy/assess.ts';
import { judge } from '../../src/policy/judge.ts';
import { inputs } from '../../src/policy/judging.testing.ts';
import type { Law } from './law.ts';

export const laws: readonly Law[] = [
  {
    number: 7,
    says: 'the order of inputs never matters, and judging again gives the same',
    property: () =>
      fc.property(inputs, fc.infiniteStream(fc.nat()), (input, numbers) => {
        const shuffled = <Item>(items: readonly Item[]): Item[] =>
          items
            .map((item) => ({ item, at: numbers.next().value ?? 0 }))
            .sort((a, b) => a.at - b.at)
            .map(({ item }) => item);
        const other = {
          ...structuredClone(input),
          findings: shuffled(input.findings.map((one) => ({ ...one, severities: shuffled(one.severities) }))),
          exceptions: shuffled(input.exceptions),
          clocks: shuffled(input.clocks),
        };
        const kept: Assessments = new Map();
        const texts = [judge(input), judge(other), judge(input, kept), judge(input, kept)].map((verdict) =>
          JSON.stringify(verdict),
        );
        if (new Set(texts).size !== 1) throw new Error(`not one verdict: ${canonicalJson(texts)}`);
      }),
  },
];
