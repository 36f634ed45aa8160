import { describe, expect, it } from 'vitest';
import { type EvaluateDeps, evaluate } from './evaluate.ts';
import { readExemptions } from './exemption.ts';
import { parseExpansion } from './expansion.ts';
import { NO_FACTS } from './image-facts.ts';
import { rulesOf } from './rules.ts';
import { testConstraint, testPod } from './testing.ts';

const deps: EvaluateDeps = { ...NO_FACTS, namespaceLabels: () => undefined };
const COMPAT = { 'breakwater/compat': 'gatekeeper' };
const PODS = { kinds: [{ apiGroups: [''], kinds: ['Pod'] }] };

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'demo' },
  spec: {
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        containers: [{ name: 'c', image: 'nginx' }],
        volumes: [{ name: 'v', image: { reference: 'data:1' } }],
      },
    },
  },
};

function expansion(more: object = {}): ReturnType<typeof parseExpansion> {
  return parseExpansion({
    metadata: { name: 'expand' },
    spec: {
      applyTo: [{ groups: ['apps'], versions: ['v1'], kinds: ['Deployment'] }],
      templateSource: 'spec.template',
      generatedGVK: { version: 'v1', kind: 'Pod' },
      ...more,
    },
  });
}

function said(object: unknown, annotations = {}, spec: object = {}, expansions = [] as ReturnType<typeof expansion>[]) {
  const rules = { ...rulesOf([testConstraint({ ...spec }, annotations)]), expansions };
  return evaluate(deps, rules, 'validation.gatekeeper.sh', { object }).map(
    ({ place, action, message, impliedBy }) => `${action} ${place} ${impliedBy ?? '-'} ${message.split(' has ')[0]}`,
  );
}

describe('templates', () => {
  it('are judged as the pods they make, even where a constraint names only Pod', () => {
    const both = ['warn container - container "c"', 'warn volume - imageVolume "v"'];
    expect(said(deployment)).toEqual(both);
    expect(said(deployment, {}, { match: PODS })).toEqual(both);
    expect(said(deployment, {}, { match: { ...PODS, source: 'Original' } })).toEqual([]);
    expect(said(deployment, {}, { match: { ...PODS, source: 'Generated' } })).toEqual(both);
    expect(said(testPod('nginx'), {}, { match: { source: 'Generated' } })).toEqual([]);
    const labels = { labelSelector: { matchLabels: { app: 'web' } } };
    expect(said(deployment, {}, { match: { ...PODS, ...labels } })).toEqual(both);
    expect(said(deployment, {}, { match: { ...PODS, labelSelector: { matchLabels: { app: 'db' } } } })).toEqual([]);
  });

  it('are not read under compat, unless an ExpansionTemplate says so', () => {
    expect(said(deployment, COMPAT)).toEqual([]);
    expect(said(deployment, COMPAT, {}, [expansion()])).toEqual([
      'warn container expand [Implied by expand] container <c>',
    ]);
    expect(said(deployment, COMPAT, { match: { kinds: [{ kinds: ['Deployment'] }] } }, [expansion()])).toEqual([]);
  });

  it('give an action to a constraint that has an empty one, as Gatekeeper has it', () => {
    const empty = { enforcementAction: '' };
    expect(said(deployment, COMPAT, empty, [expansion()])).toEqual([]);
    expect(said(deployment, COMPAT, empty, [expansion({ enforcementAction: 'deny' })])).toEqual([
      'deny container expand [Implied by expand] container <c>',
    ]);
    expect(said(testPod('nginx'), COMPAT, empty)).toEqual([]);
  });

  it('take the action of an ExpansionTemplate, once', () => {
    expect(said(deployment, {}, {}, [expansion({ enforcementAction: 'deny' })])).toEqual([
      'deny container - container "c"',
      'deny volume - imageVolume "v"',
    ]);
    expect(said(deployment, COMPAT, {}, [expansion({ enforcementAction: 'dryrun' })])).toEqual([
      'dryrun container expand [Implied by expand] container <c>',
    ]);
  });

  it('of other kinds are read through ExpansionTemplates, in several steps', () => {
    const rollout = { ...deployment, apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' };
    expect(said(rollout)).toEqual([]);
    const applyTo = [{ groups: ['argoproj.io'], versions: ['v1alpha1'], kinds: ['Rollout'] }];
    expect(said(rollout, {}, {}, [expansion({ applyTo })])).toEqual([
      'warn container expand [Implied by expand] container "c"',
      'warn volume expand [Implied by expand] imageVolume "v"',
    ]);
    expect(() => said({ ...rollout, spec: {} }, {}, {}, [expansion({ applyTo })])).toThrow(
      'could not find source field "spec.template" in resource web',
    );
  });
});

it('exempted namespaces are left out of what they are exempted from', () => {
  const config = {
    metadata: { name: 'config' },
    spec: {
      match: [
        { excludedNamespaces: ['de*'], processes: ['audit'] },
        { excludedNamespaces: ['x'], processes: ['*'] },
      ],
    },
  };
  const rules = { ...rulesOf([testConstraint()]), exempt: readExemptions([config]) };
  const input = { object: testPod('nginx') };
  expect(evaluate(deps, rules, 'audit.gatekeeper.sh', input)).toEqual([]);
  expect(evaluate(deps, rules, 'validation.gatekeeper.sh', input)).toHaveLength(1);
  expect(evaluate(deps, rules, 'validation.gatekeeper.sh', { ...input, namespace: 'x' })).toEqual([]);
  const other = { ...config, metadata: { name: 'other' } };
  const open = { ...rules, exempt: readExemptions([other]) };
  expect(evaluate(deps, open, 'audit.gatekeeper.sh', input)).toHaveLength(1);
});

it('a namespace that nobody knows is an error and no miss', () => {
  const selector = { namespaceSelector: { matchLabels: { a: 'b' } } };
  expect(() => said(testPod('nginx'), {}, { match: selector })).toThrow('namespace "demo", which is not known');
});

it('a scoped constraint does all it says at a point, and nothing elsewhere', () => {
  const constraint = testConstraint({
    enforcementAction: 'scoped',
    scopedEnforcementActions: [
      { action: 'warn', enforcementPoints: [{ name: 'validation.gatekeeper.sh' }] },
      { action: 'deny', enforcementPoints: [{ name: 'validation.gatekeeper.sh' }, { name: 'gator.gatekeeper.sh' }] },
    ],
  });
  expect(constraint.actionsAt('validation.gatekeeper.sh')).toEqual(['deny', 'warn']);
  expect(constraint.actionAt('audit.gatekeeper.sh')).toBeUndefined();
  expect(testConstraint({ enforcementAction: 'denny' }).actionAt('audit.gatekeeper.sh')).toBe('warn');
  expect(testConstraint({ enforcementAction: 'denny' }, COMPAT).actionAt('audit.gatekeeper.sh')).toBeUndefined();
});
