import { describe, expect, it } from 'vitest';
import { type ConstraintMatch, compileMatch, type MatchResult, type MatchSubject } from './match.ts';
import { compileSelector } from './selector.ts';
import { wildcardMatches } from './wildcard.ts';
import { imagesOf, isWorkload } from './workload.ts';

const pod: MatchSubject = {
  apiVersion: 'v1',
  kind: 'Pod',
  name: 'web-1',
  namespace: 'demo',
  labels: { app: 'web' },
  source: 'Original',
};
const cronJob: MatchSubject = { ...pod, apiVersion: 'batch/v1', kind: 'CronJob' };
const node: MatchSubject = { apiVersion: 'v1', kind: 'Node', name: 'n', namespace: '', labels: {}, source: 'Original' };
const namespace: MatchSubject = {
  apiVersion: 'v1',
  kind: 'Namespace',
  name: 'demo',
  namespace: '',
  labels: { team: 'a' },
  source: 'Original',
};

function matches(match: ConstraintMatch, subject: MatchSubject, labels?: Record<string, string>): MatchResult {
  return compileMatch(match).matches(subject, () => labels);
}

function expression(operator: string, values?: string[]): boolean {
  return compileSelector({ matchExpressions: [{ key: 'a', operator, values }] }).selects({ a: '1' });
}

describe('spec.match', () => {
  it.each<[ConstraintMatch, MatchSubject, boolean]>([
    [{}, pod, true],
    [{ kinds: [] }, pod, true],
    [{ kinds: [{ apiGroups: [''], kinds: ['Pod'] }] }, pod, true],
    [{ kinds: [{ apiGroups: ['apps'], kinds: ['Pod'] }] }, pod, false],
    [{ kinds: [{ apiGroups: ['*'], kinds: ['*'] }] }, cronJob, true],
    [{ kinds: [{ apiGroups: ['batch'], kinds: [] }] }, cronJob, true],
    [{ kinds: [{ kinds: ['Pod'] }, { apiGroups: ['batch'] }] }, cronJob, true],
    [{ scope: 'Namespaced' }, pod, true],
    [{ scope: 'Namespaced' }, namespace, false],
    [{ scope: 'Cluster' }, pod, false],
    [{ scope: 'Cluster' }, node, true],
    [{ scope: 'cluster' }, pod, true],
    [{ namespaces: ['demo'] }, pod, true],
    [{ namespaces: ['de*'] }, pod, true],
    [{ namespaces: ['*mo'] }, pod, true],
    [{ namespaces: ['*em*'] }, pod, true],
    [{ namespaces: ['dem'] }, pod, false],
    [{ namespaces: [] }, pod, true],
    [{ namespaces: ['other'] }, node, true],
    [{ namespaces: ['demo'] }, namespace, true],
    [{ excludedNamespaces: ['demo'] }, pod, false],
    [{ excludedNamespaces: ['kube-*'] }, pod, true],
    [{ excludedNamespaces: ['*'] }, node, true],
    [{ excludedNamespaces: ['demo'] }, namespace, false],
    [{ labelSelector: { matchLabels: { app: 'web' } } }, pod, true],
    [{ labelSelector: { matchLabels: { app: 'db' } } }, pod, false],
    [
      { namespaceSelector: { matchExpressions: [{ key: 'owner', operator: 'NotIn', values: ['operator'] }] } },
      pod,
      true,
    ],
    [{ namespaceSelector: { matchLabels: { owner: 'operator' } } }, pod, false],
    [{ namespaceSelector: { matchLabels: { team: 'a' } } }, namespace, true],
    [{ namespaceSelector: { matchLabels: { owner: 'operator' } } }, node, true],
    [{ name: 'web-*' }, pod, true],
    [{ name: 'web' }, pod, false],
    [{ name: 'web-*' }, { ...pod, name: '', generateName: 'web-' }, true],
    [{ name: 'web-' }, { ...pod, name: '', generateName: 'web-' }, false],
    [{ name: '*-1' }, { ...pod, name: '', generateName: 'web-1' }, false],
    [{ source: 'Original' }, pod, true],
    [{ source: 'Generated' }, pod, false],
  ])('%j', (match, subject, expected) => expect(matches(match, subject, { team: 'x' })).toBe(expected));

  it('a namespace whose labels are not known is neither covered nor not, and nobody asks where it does not matter', () => {
    const match = { namespaceSelector: { matchLabels: { owner: 'operator' } } };
    expect(matches(match, pod)).toBe('unknown-namespace');
    expect(matches({ ...match, kinds: [{ kinds: ['Job'] }] }, pod)).toBe(false);
  });

  it('selectors', () => {
    expect([
      expression('In', ['1']),
      expression('In', ['2']),
      expression('NotIn', ['1']),
      expression('Exists'),
    ]).toEqual([true, false, false, true]);
    expect(expression('DoesNotExist')).toBe(false);
    expect(compileSelector({ matchLabels: { constructor: 'x' } }).selects({})).toBe(false);
    expect(compileSelector({ matchExpressions: [{ key: 'toString', operator: 'Exists' }] }).selects({})).toBe(false);
  });

  it('wildcards', () => {
    expect(wildcardMatches('*', 'anything')).toBe(true);
    expect(wildcardMatches('a*', 'ba')).toBe(false);
    expect(wildcardMatches('a.c', 'abc')).toBe(false);
  });
});

describe('images of workloads', () => {
  const spec = { containers: [{ name: 'c', image: 'x' }], initContainers: [{ name: 'i', image: 'y' }] };
  const template = { spec: { template: { spec } } };
  it.each([
    ['v1', 'Pod', { spec }],
    ['v1', 'PodTemplate', { template: { spec } }],
    ['v1', 'ReplicationController', template],
    ['apps/v1', 'ReplicaSet', template],
    ['apps/v1', 'Deployment', template],
    ['extensions/v1beta1', 'Deployment', template],
    ['apps/v1', 'StatefulSet', template],
    ['apps/v1', 'DaemonSet', template],
    ['batch/v1', 'Job', template],
    ['batch/v1', 'CronJob', { spec: { jobTemplate: { spec: { template: { spec } } } } }],
  ])('%s %s', (apiVersion, kind, body) => {
    expect(imagesOf({ apiVersion, kind, ...body })).toEqual([
      { place: 'container', name: 'c', image: 'x' },
      { place: 'initContainer', name: 'i', image: 'y' },
    ]);
  });

  it('passes over what is no workload or has another shape', () => {
    expect(isWorkload('example.com/v1', 'Pod')).toBe(false);
    expect(isWorkload('v1', 'constructor')).toBe(false);
    for (const odd of [
      null,
      1,
      [],
      {},
      { apiVersion: 'v1', kind: 'Pod' },
      { apiVersion: 'v1', kind: 'Pod', spec: { containers: 1 } },
    ]) {
      expect(imagesOf(odd)).toEqual([]);
    }
    const mixed = {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: { containers: [null, { image: 1 }, { image: '' }, { image: 'x' }] },
    };
    expect(imagesOf(mixed)).toEqual([{ place: 'container', name: '', image: 'x' }]);
  });
});
