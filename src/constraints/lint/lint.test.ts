import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tryParseReference } from '../../oci/reference.ts';
import { CONSTRAINT_KINDS, compileRule, KIND_DEFINITIONS } from '../kinds/kinds.ts';
import { readManifests } from './documents.ts';
import type { LintRule } from './finding.ts';
import { lintConstraint } from './lint.ts';

function constraint(kind: string, spec: Record<string, unknown>, metadata: Record<string, unknown> = {}): object {
  return { apiVersion: 'constraints.gatekeeper.sh/v1beta1', kind, metadata: { name: 'c', ...metadata }, spec };
}

function findings(object: object) {
  return lintConstraint(object)?.findings ?? [];
}

function rulesOf(object: object): LintRule[] {
  return findings(object).map(({ rule }) => rule);
}

function withRepos(...repos: unknown[]): object {
  return constraint('K8sAllowedRepos', { parameters: { repos } });
}

describe('entries', () => {
  it.each([
    ['K8sAllowedRepos', 'repos', 'harbor.io', 'harbor.io.evil.example/x', 'harbor.io/'],
    ['K8sAllowedRepos', 'repos', 'docker.io/mycompany', 'docker.io/mycompany-evil/x', 'docker.io/mycompany/'],
    ['K8sAllowedRepos', 'repos', 'nginx', 'nginx.evil.example/x', 'docker.io/library/'],
    ['K8sAllowedRepos', 'repos', 'harbor.io/p/x:1', 'harbor.io/p/x:1-evil', 'harbor.io/p/x:1@sha256:<digest>'],
    ['K8sDisallowedRepos', 'repos', 'docker.io/evil/', 'evil/app', 'all spellings'],
    ['K8sDisallowedRepos', 'repos', 'evil.io', 'EVIL.IO/app', 'all spellings'],
  ])('%s %s %s: witness %s', (kind, field, entry, witness, fix) => {
    const found = findings(constraint(kind, { parameters: { [field]: [entry] } })).find((one) => one.witness);
    expect(found?.witness).toBe(witness);
    expect(found?.fix).toContain(fix);
  });

  it.each([
    [withRepos('harbor.io/'), []],
    [withRepos('harbor.io/', 'harbor.io/p/'), ['entry-covered']],
    [withRepos('harbor.io/p/', 'harbor.io/p/'), ['entry-duplicate']],
    [withRepos(''), ['entry-empty']],
    [withRepos(), ['list-empty']],
    [withRepos('https://harbor.io/'), ['entry-invalid']],
    [withRepos(1), ['shape-invalid']],
    [withRepos('docker.io/x/'), ['entry-rejects']],
    [withRepos('quay.io/'), ['entry-broad']],
    [constraint('K8sAllowedRepos', {}), ['list-missing']],
    [constraint('K8sDisallowedTags', { parameters: { tags: [':latest'] } }), ['tag-invalid']],
    [constraint('K8sDisallowedTags', { parameters: { tags: ['latest'], exemptImages: ['*'] } }), ['entry-broad']],
    [constraint('K8sAllowedReposv2', { parameters: { allowedImages: ['harbor.io/*/x'] } }), ['entry-wildcard']],
    [constraint('K8sAllowedReposv2', { parameters: { allowedImages: ['harbor.io/p/x'] } }), ['entry-untagged']],
    [constraint('K8sImageDigests', {}), ['digest-malformed']],
  ] as const)('%j: %j', (object, expected) => expect(rulesOf(object)).toEqual(expected));

  it('says where and how a value of the wrong type is wrong', () => {
    const [found] = findings(withRepos('harbor.io/', 1));
    expect(found?.path).toEqual(['spec', 'parameters', 'repos', 1]);
    expect(found?.message).toContain('expected string');
  });

  const text = fc.oneof(
    fc.constantFrom('nginx', 'docker.io', 'docker.io/x', 'harbor.io', 'harbor.io/p', 'harbor.io:5000', 'x:1', '', '*'),
    fc.stringMatching(/^[a-z.:/*-]{0,12}$/),
  );
  it('every witness is admitted by the library as it is and denied by reference', () => {
    const lists = fc.array(text, { maxLength: 4 });
    fc.assert(
      fc.property(fc.constantFrom(...CONSTRAINT_KINDS), lists, lists, (kind, list, exemptImages) => {
        const [main = 'tags'] = KIND_DEFINITIONS[kind].parameters;
        const parameters = { exemptImages, [main]: list };
        for (const { witness } of findings(constraint(kind, { parameters }))) {
          if (witness === undefined) continue;
          const reference = tryParseReference(witness);
          expect(compileRule(kind, parameters, 'compat')?.breaches(witness, reference)).toEqual([]);
          expect(compileRule(kind, parameters, 'reference')?.breaches(witness, reference)).not.toEqual([]);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('match', () => {
  it.each([
    [{ kinds: [{ apiGroups: [''], kinds: ['Pod'] }] }, []],
    [{ kinds: [{ apiGroups: ['apps'], kinds: ['Deployments'] }] }, ['kinds-dead', 'kind-unknown']],
    [{ kinds: [{ apiGroups: ['app'], kinds: ['Deployment'] }] }, ['kinds-dead', 'kind-unknown', 'kind-unknown']],
    [{ kinds: [{ apiGroups: ['', 'apps'], kinds: ['Pod', 'Deployment', 'Service'] }] }, ['kind-without-images']],
    [{ kinds: [{ apiGroups: ['argoproj.io'], kinds: ['Rollout'] }] }, ['kind-custom']],
    [{ kinds: [{ apiGroups: ['*'], kinds: ['*'] }] }, []],
    [{ kinds: [{}] }, []],
    [{ scope: 'Cluster' }, ['scope-dead']],
    [{ scope: 'namespaced' }, ['scope-unknown']],
    [{ namespaces: ['kube-*', '*-dev', '*mid*'] }, []],
    [{ namespaces: ['Prod', 'a*b', '', '-x'] }, ['namespaces-dead', ...Array<string>(4).fill('namespace-invalid')]],
    [{ excludedNamespaces: ['*'] }, ['namespaces-dead']],
    [{ namespaces: ['a'], excludedNamespaces: ['a'] }, ['namespaces-dead']],
    [{ source: 'original' }, ['source-unknown']],
    [{ name: 'web' }, ['name-exact']],
    [{ namespaceselector: {} }, ['field-unknown']],
    [{ labelSelector: { matchExpressions: [{ key: 'a', operator: 'in', values: ['x'] }] } }, ['selector-invalid']],
    [{ labelSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] } }, ['selector-invalid']],
    [{ labelSelector: { matchLabels: { 'a b': 'x' } } }, ['selector-invalid']],
  ])('%j: %j', (match, expected) => {
    const object = constraint('K8sAllowedRepos', { match, parameters: { repos: ['harbor.io/'] } });
    expect(rulesOf(object)).toEqual(expected);
  });

  it('offers what was meant', () => {
    const match = { kinds: [{ apiGroups: ['app'], kinds: ['deployment'] }] };
    const fixes = findings(constraint('K8sAllowedRepos', { match, parameters: { repos: ['harbor.io/'] } })).map(
      (one) => one.fix,
    );
    expect(fixes).toContain('write "apps"');
    expect(fixes).toContain('write "Deployment"');
  });
});

describe('actions and annotations', () => {
  const good = { parameters: { repos: ['harbor.io/'] } };
  it.each([
    [{ enforcementAction: 'Deny' }, {}, ['action-unknown']],
    [{ enforcementAction: 'scoped' }, {}, ['scoped-empty']],
    [{ scopedEnforcementActions: [{ action: 'deny', enforcementPoints: [{ name: '*' }] }] }, {}, ['scoped-ignored']],
    [
      {
        enforcementAction: 'scoped',
        scopedEnforcementActions: [{ action: 'deny', enforcementPoints: [{ name: '*' }] }],
      },
      {},
      [],
    ],
    [
      {
        enforcementAction: 'scoped',
        scopedEnforcementActions: [
          { action: 'deny', enforcementPoints: [{ name: 'audit.gatekeeper.sh' }, { name: 'vap' }] },
        ],
      },
      {},
      ['point-unknown', 'point-missing'],
    ],
    [{ enforcementactions: 'deny' }, {}, ['field-unknown']],
    [{}, { 'breakwater/matching': 'raw' }, ['annotation-unknown']],
    [{}, { 'breakwater/restart-grace': '30d', 'breakwater/compat': 'gatekeeper' }, []],
    [{}, { 'breakwater/restart-grase': '30d' }, ['annotation-unknown']],
    [{}, { 'breakwaters/report': 'raw' }, ['annotation-unknown']],
    [{}, { 'example.com/other': 'x' }, []],
  ])('%j %j: %j', (spec, annotations, expected) => {
    expect(rulesOf(constraint('K8sAllowedRepos', { ...good, ...spec }, { annotations }))).toEqual(expected);
  });

  it('names that are too long or none', () => {
    expect(rulesOf(constraint('K8sAllowedRepos', good, { name: 'a'.repeat(64) }))).toEqual(['name-too-long']);
    expect(rulesOf(constraint('K8sAllowedRepos', good, { name: '' }))).toEqual(['name-invalid']);
    expect(lintConstraint({ apiVersion: 'v1', kind: 'Pod' })).toBeUndefined();
    expect(lintConstraint(null)).toBeUndefined();
  });
});

describe('files', () => {
  it('gives the line and column of what is wrong', () => {
    const text = `# comment
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: K8sAllowedRepos
metadata: {name: a}
spec:
  enforcmentAction: deny
  parameters:
    repos:
      - harbor.io/
      - "nginx"
---
not: [closed
`;
    const { objects, problems } = readManifests(text);
    const [first] = objects;
    const places = (lintConstraint(first?.object)?.findings ?? []).map(({ rule, path }) => ({
      rule,
      ...first?.positionOf(path),
    }));
    expect(places).toContainEqual({ rule: 'field-unknown', line: 6, column: 3 });
    expect(places).toContainEqual({ rule: 'entry-bypass', line: 10, column: 9 });
    expect(problems).toHaveLength(1);
    expect(problems[0]?.position.line).toBeGreaterThan(11);
  });

  it('unfolds lists and anchors', () => {
    const text = JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: [withRepos('harbor.io'), withRepos('harbor.io/')],
    });
    expect(readManifests(text).objects).toHaveLength(2);
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n`;
    expect(readManifests(bomb).problems).toHaveLength(1);
    expect(readManifests('').objects).toEqual([]);
  });
});
