import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { why } from './explain.ts';
import { judge } from './judge.ts';
import {
  concernsReferences,
  judgeReference,
  type ReferencePolicies,
  toldWithReference,
  withReference,
} from './judge-reference.ts';
import { anInput, inputs, NOW } from './judging.testing.ts';
import { refusal } from './messages.ts';
import { defaultPolicy, type Policy } from './policy.ts';

const policy: Policy = {
  ...defaultPolicy,
  disallowedTags: { globs: ['latest', '*-dev'], action: 'block' },
  digestRequired: 'warn',
};

it('judges a tag, and what is written without one as latest; a digest settles it', () => {
  const kinds = (referred: Parameters<typeof judgeReference>[1]) =>
    judgeReference({ policy }, referred, NOW).reasons.map(({ rule, kind }) => `${rule} ${kind}`);
  expect(kinds({ tag: '1.0' })).toEqual(['digest-required warn']);
  expect(kinds({ tag: '1.0-dev' })).toEqual(['disallowed-tag block', 'digest-required warn']);
  expect(kinds({})).toEqual(['disallowed-tag block', 'digest-required warn']);
  expect(kinds({ tag: 'latest', digest: 'sha256:x' })).toEqual([]);
  expect(judgeReference({ policy: defaultPolicy }, { tag: 'latest' }, NOW).reasons).toEqual([]);
});

it('is as bad as the worse of what is in the image and how it is called, and keeps the worst first', () => {
  const verdict = judge(anInput());
  const referred = withReference(verdict, { policy }, { tag: 'latest' }, NOW);
  expect(referred).toMatchObject({ kind: 'block', reasons: [{ rule: 'disallowed-tag' }, { rule: 'digest-required' }] });
  expect(withReference(verdict, { policy: defaultPolicy }, { tag: 'latest' }, NOW)).toBe(verdict);
  expect(withReference(verdict, { policy }, { tag: 'latest', digest: verdict.subject }, NOW)).toBe(verdict);
});

it('names the reference and whom to ask in a refusal', () => {
  const strict = { ...policy, contact: { text: 'the platform team', link: null } };
  const referred = withReference(judge(anInput()), { policy: strict }, {}, NOW);
  expect(refusal(referred, { image: 'front/app:latest', policy: strict })).toMatch(
    /Reason: the tag latest is not allowed here \(latest\); use another tag, or the digest\. .* Ask the platform team\.$/,
  );
});

describe('a policy to come', () => {
  const from = NOW + 1000;
  const coming = [{ policy, from }];

  it('warns of what it will block, with its moment, and then blocks', () => {
    const verdict = judge(anInput());
    const at = (now: number) => withReference(verdict, { policy: defaultPolicy, coming }, { tag: 'latest' }, now);
    expect(at(from - 1)).toMatchObject({
      kind: 'warn',
      reasons: [{ rule: 'disallowed-tag', kind: 'warn', deadline: from }],
      changesAt: from,
      becomes: [{ at: from, kind: 'block' }],
    });
    expect(why(at(from - 1))).toContain('; a policy that counts from 2027-01-15T08:00:01Z on blocks this');
    expect(at(from)).toMatchObject({
      kind: 'block',
      reasons: [{ rule: 'disallowed-tag', kind: 'block' }, { rule: 'digest-required' }],
    });
    expect(at(from).changesAt).toBeUndefined();
  });

  it('is told of although nothing counts yet', () => {
    expect(concernsReferences({ policy: defaultPolicy, coming })).toBe(true);
    expect(concernsReferences({ policy: defaultPolicy })).toBe(false);
  });
});

it('is told in the words that the whole verdict has', () => {
  const action = fc.constantFrom('ignore' as const, 'warn' as const, 'block' as const);
  const rules = fc.record({
    globs: fc.subarray(['latest', '1*', '**']),
    action,
    digestRequired: action,
    text: fc.constantFrom(null, 'us'),
  });
  const moments = fc.uniqueArray(fc.integer({ min: NOW - 2, max: NOW + 2 }), { maxLength: 2 });
  fc.assert(
    fc.property(inputs, fc.array(rules, { minLength: 3, maxLength: 3 }), moments, (input, [now, ...later], froms) => {
      const policyOf = ({ globs, digestRequired, text, ...one }: NonNullable<typeof now>): Policy => ({
        ...input.policy,
        disallowedTags: { globs, action: one.action },
        digestRequired,
        contact: { text, link: null },
      });
      const policies: ReferencePolicies = {
        policy: policyOf(now!),
        coming: froms.sort((a, b) => a - b).map((from, at) => ({ from, policy: policyOf(later[at]!) })),
      };
      const counting = policies.coming?.findLast(({ from }) => from <= NOW)?.policy ?? policies.policy;
      // Whom to ask may be another since it was judged.
      const judgedBy = { ...counting, contact: policies.policy.contact } as Policy;
      const verdict = judge({ ...input, now: NOW, policy: judgedBy, coming: [] });
      const whole = withReference(verdict, policies, { tag: 'latest' }, NOW);
      const told = toldWithReference(
        { kind: verdict.kind, sentence: why(verdict) },
        judgeReference(policies, { tag: 'latest' }, NOW),
      );
      expect(told).toMatchObject({ kind: whole.kind, sentence: why(whole) });
    }),
    { numRuns: 2000 },
  );
});
