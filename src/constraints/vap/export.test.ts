import { describe, expect, it } from 'vitest';
import { parseConstraint } from '../constraint.ts';
import { exemptPatterns } from './exempt-patterns.ts';
import { exportPolicies, PolicyExportError } from './export.ts';

interface Policy {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly validationActions?: readonly string[];
    readonly matchConditions?: readonly { readonly name: string; readonly expression: string }[];
    readonly matchConstraints?: { readonly resourceRules: readonly { readonly resources: readonly string[] }[] };
    readonly variables?: readonly { readonly name: string; readonly expression: string }[];
  };
}

function exported(spec: Record<string, unknown>, annotations: Record<string, string> = {}, kind = 'K8sAllowedRepos') {
  const apiVersion = 'constraints.gatekeeper.sh/v1beta1';
  const whole = { parameters: { repos: ['harbor.io/'] }, ...spec };
  const constraint = parseConstraint({ apiVersion, kind, metadata: { name: 'c', annotations }, spec: whole });
  const { objects, unsayable } = exportPolicies({
    constraint,
    parameters: whole.parameters,
    exemptNamespaces: ['system-*'],
  });
  return { objects: objects as Policy[], unsayable };
}

function names(spec: Record<string, unknown>, annotations: Record<string, string> = {}): string[] {
  return exported(spec, annotations).objects.map(
    ({ kind, metadata, spec: { validationActions } }) =>
      `${kind.replace('ValidatingAdmissionPolicy', '') || 'Policy'} ${metadata.name}${validationActions ? ` ${validationActions.join('+')}` : ''}`,
  );
}

const scoped = (name: string) => ({
  enforcementAction: 'scoped',
  scopedEnforcementActions: [
    { action: 'warn', enforcementPoints: [{ name }] },
    { action: 'dryrun', enforcementPoints: [{ name }] },
  ],
});

const said = (spec: Record<string, unknown>, annotations = {}) =>
  exported(spec, annotations).unsayable.map((text) => text.split(':', 1)[0]);

const resources = (match: Record<string, unknown>, annotations = {}) =>
  exported({ match }, annotations).objects[0]?.spec.matchConstraints?.resourceRules.flatMap((rule) => rule.resources);

const config = (name: string, processes: string[]) => ({
  kind: 'Config',
  metadata: { name },
  spec: { match: [{ excludedNamespaces: ['a*'], processes }] },
});

describe('export', () => {
  it('denies what is new and warns about what runs already, in policies of their own', () => {
    expect(names({})).toEqual([
      'Policy k8sallowedrepos-c',
      'Binding k8sallowedrepos-c Deny',
      'Policy k8sallowedrepos-c-updates',
      'Binding k8sallowedrepos-c-updates Warn',
    ]);
    expect(names({}, { 'breakwater/updates': 'strict' })).toHaveLength(2);
    expect(names({ enforcementAction: 'warn' })[1]).toBe('Binding k8sallowedrepos-c Warn');
    expect(names({ enforcementAction: 'dryrun' })[1]).toBe('Binding k8sallowedrepos-c Audit');
  });

  it('is bound as scoped actions say for vap.k8s.io, and refused where they do not', () => {
    expect(names(scoped('vap.k8s.io'))[1]).toBe('Binding k8sallowedrepos-c Warn+Audit');
    expect(() => exported(scoped('audit.gatekeeper.sh'))).toThrow(/vap\.k8s\.io/);
  });

  it('refuses what says nothing', () => {
    expect(() => exported({ parameters: {} })).toThrow(PolicyExportError);
    expect(() => exported({ match: { scope: 'Cluster' } })).toThrow(/covers no built-in kind/);
    expect(() => exported({ match: { kinds: [{ apiGroups: [''], kinds: ['Service'] }] } })).toThrow(PolicyExportError);
    const repos = Array.from({ length: 40_000 }, (_, at) => `registry-${at}.example.com/team/`);
    expect(() => exported({ parameters: { repos } })).toThrow(/makes a policy of \d+ bytes/);
  });

  it('names what a policy cannot say', () => {
    expect(said({})).toEqual(['verdicts', 'mirror hints', 'restart grace', 'break-glass', 'records']);
    expect(said({}, { 'breakwater/restart-grace': 'none' })).not.toContain('restart grace');
    expect(said({ enforcementAction: 'warn' })).toEqual(['verdicts', 'mirror hints']);
    expect(said({}, { 'breakwater/compat': 'gatekeeper' })).toEqual([]);
    const long = Array.from({ length: 400 }, (_, at) => `registry-${at}.example.com/`);
    expect(said({ parameters: { repos: long } }, { 'breakwater/compat': 'gatekeeper' })).toEqual(['message']);
  });

  it('asks about the kinds a constraint covers, templates as the pods they make', () => {
    const pods = { kinds: [{ apiGroups: [''], kinds: ['Pod'] }] };
    expect(resources(pods)).toContain('cronjobs');
    expect(resources({ ...pods, source: 'Original' })).toEqual(['pods', 'pods/ephemeralcontainers']);
    expect(resources(pods, { 'breakwater/compat': 'gatekeeper' })).toEqual(['pods', 'pods/ephemeralcontainers']);
    expect(resources({ source: 'Generated' })).not.toContain('pods');
  });

  it('leaves out the namespaces of the Config', () => {
    const [policy] = exported({}).objects;
    const namespace = policy?.spec.matchConditions?.find(({ name }) => name === 'namespace');
    expect(namespace?.expression).toBe('!(request.namespace.startsWith("system-"))');
    expect(
      exemptPatterns([config('config', ['webhook']), config('config', ['audit']), config('other', ['*'])]),
    ).toEqual(['a*']);
  });

  it('cuts long lists into several maps', () => {
    const repos = Array.from({ length: 3000 }, (_, at) => `registry-${at}.example.com/team/app-${at}`);
    const variables = exported({ parameters: { repos } }).objects[0]?.spec.variables ?? [];
    expect(variables.filter(({ name }) => name.startsWith('below')).length).toBeGreaterThan(1);
    expect(Math.max(...variables.map(({ expression }) => expression.length))).toBeLessThan(100_000);
  });
});
