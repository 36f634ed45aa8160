import { expect, it } from 'vitest';
import { judge } from './judge.ts';
import { judgeReference, withReference } from './judge-reference.ts';
import { anInput } from './judging.testing.ts';
import { defaultPolicy, type Policy } from './policy.ts';

const policy: Policy = {
  ...defaultPolicy,
  disallowedTags: { globs: ['latest', '*-dev'], action: 'block' },
  digestRequired: 'warn',
};

it('judges a tag, and what is written without one as latest; a digest settles it', () => {
  const kinds = (referred: Parameters<typeof judgeReference>[1]) =>
    judgeReference(policy, referred).map(({ rule, kind }) => `${rule} ${kind}`);
  expect(kinds({ tag: '1.0' })).toEqual(['digest-required warn']);
  expect(kinds({ tag: '1.0-dev' })).toEqual(['disallowed-tag block', 'digest-required warn']);
  expect(kinds({})).toEqual(['disallowed-tag block', 'digest-required warn']);
  expect(kinds({ tag: 'latest', digest: 'sha256:x' })).toEqual([]);
  expect(judgeReference(defaultPolicy, { tag: 'latest' })).toEqual([]);
});

it('is as bad as the worse of what is in the image and how it is called, and keeps the worst first', () => {
  const verdict = judge(anInput());
  const referred = withReference(verdict, judgeReference(policy, { tag: 'latest' }));
  expect(referred).toMatchObject({ kind: 'block', reasons: [{ rule: 'disallowed-tag' }, { rule: 'digest-required' }] });
  expect(withReference(verdict, [])).toBe(verdict);
});
