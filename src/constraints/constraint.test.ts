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

  describe('when it changed', () => {
    const [created, later] = ['2026-01-01T00:00:00Z', '2026-03-01T00:00:00Z'];
    const write = (fieldsV1: unknown, more = {}) => ({ manager: 'm', time: later, fieldsV1, ...more });
    function since(managedFields: unknown, generation = 2): string {
      const metadata = { name: 'c', creationTimestamp: created, generation, managedFields };
      const constraint = parseConstraint({ kind: 'K8sAllowedRepos', metadata, spec: {} });
      return new Date(constraint.since ?? 0).toISOString().replace('.000', '');
    }

    it.each<[string, unknown, number?]>([
      ['a label', [write({ 'f:metadata': { 'f:labels': { 'f:a': {} } } })]],
      ['an annotation', [write({ 'f:metadata': { 'f:annotations': { '.': {}, 'f:note': {} } } })]],
      ['a style', [write({ 'f:metadata': { 'f:annotations': { 'f:breakwater/message-style': {} } } })]],
      ['the status', [write({ 'f:spec': {} }, { subresource: 'status' })]],
      ['anything by who made it, while it is the first generation', [write({ 'f:spec': {}, 'f:metadata': {} })], 1],
      ['nothing that is told', [{ time: later }]],
    ])('%s is no change of the rule', (_, fields, generation) => expect(since(fields, generation)).toBe(created));

    it.each<[string, unknown]>([
      ['its specification', { 'f:spec': { 'f:enforcementAction': {} } }],
      ['what compares', { 'f:metadata': { 'f:annotations': { 'f:breakwater/matching': {} } } }],
    ])('%s is one', (_, fields) => expect(since([write(fields)])).toBe(later));
  });
});

describe('an empty enforcement action', () => {
  const empty = (annotations = {}) =>
    parseConstraint({ kind: 'K8sAllowedRepos', metadata: { name: 'c', annotations }, spec: { enforcementAction: '' } });

  it('counts as none, which is deny', () => {
    const constraint = empty();
    expect(constraint.enforcementAction).toBe('deny');
    expect(constraint.actionAt('validation.gatekeeper.sh')).toBe('deny');
    expect(constraint.actionAt('audit.gatekeeper.sh')).toBe('deny');
  });

  it('is passed over at admission and listed by audits where Gatekeeper does so', () => {
    const constraint = empty({ 'breakwater/compat': 'gatekeeper' });
    expect(constraint.enforcementAction).toBe('');
    expect(constraint.actionsAt('validation.gatekeeper.sh')).toEqual([]);
    expect(constraint.actionsAt('audit.gatekeeper.sh')).toEqual(['dryrun']);
  });
});
