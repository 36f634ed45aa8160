import { describe, expect, it } from 'vitest';
import { parseConstraint } from './constraint.ts';

describe('a constraint', () => {
  it.each([undefined, null, {}, { match: {} }, { parameters: null }])(
    'with the specification %j is one that checks nothing',
    (spec) => {
      const constraint = parseConstraint({ kind: 'K8sAllowedRepos', metadata: { name: 'empty' }, spec });
      expect(constraint.rule).toBeUndefined();
      expect(constraint.problems.join()).toContain('spec.parameters.repos is missing');
    },
  );
});
