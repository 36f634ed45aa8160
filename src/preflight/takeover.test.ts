import { describe, expect, it } from 'vitest';
import { runningPodOf } from './running-pods.ts';
import { planTakeover, type Takeover } from './takeover.ts';

function constraint(kind: string, parameters: unknown, annotations?: Record<string, string>): object {
  return {
    apiVersion: 'constraints.gatekeeper.sh/v1beta1',
    kind,
    metadata: { name: 'c', uid: 'u', resourceVersion: '7', managedFields: [], ...(annotations ? { annotations } : {}) },
    spec: { parameters },
    status: { totalViolations: 1 },
  };
}

function template(kind: string): object {
  return {
    apiVersion: 'templates.gatekeeper.sh/v1',
    kind: 'ConstraintTemplate',
    metadata: { name: kind.toLowerCase() },
    spec: { crd: { spec: { names: { kind } } } },
  };
}

function deployment(...images: string[]): object {
  const containers = images.map((image, at) => ({ name: `c${at}`, image }));
  const metadata = { name: 'web', namespace: 'shop' };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { template: { spec: { containers } } } };
}

function plan(
  constraints: object[],
  images: string[],
  more: { templates?: object[]; foreign?: string } = {},
): Takeover {
  const running = runningPodOf(deployment(...images));
  return planTakeover(
    { foreignTemplate: () => more.foreign, namespaceLabels: () => ({}) },
    { constraints, templates: more.templates ?? [], configs: [], expansions: [] },
    running ? [running] : [],
  );
}

describe('taking over', () => {
  it('asks for prefix only where an image that runs would be denied here alone', () => {
    const repos = constraint('K8sAllowedRepos', { repos: ['harbor.io', 'docker.io/x/'] });
    const [same] = plan([repos], ['harbor.io/app:1', 'evil.io/x']).taken;
    expect(same).toMatchObject({ needs: 'nothing', differences: [] });
    const [denied] = plan([repos], ['harbor.io.other.com/app']).taken;
    expect(denied).toMatchObject({
      needs: 'prefix',
      differences: [{ image: 'harbor.io.other.com/app', where: 'Deployment shop/web', change: 'denied-here' }],
      object: { metadata: { name: 'c', annotations: { 'breakwater/matching': 'prefix' } } },
    });
    const [admitted] = plan([repos], ['x/app']).taken;
    expect(admitted).toMatchObject({ needs: 'nothing', differences: [{ image: 'x/app', change: 'admitted-here' }] });
  });

  it('leaves what no prefix can keep for people to decide', () => {
    const [taken] = plan([constraint('K8sAllowedRepos', { repos: [''] })], ['evil.io/x']).taken;
    expect(taken).toMatchObject({ needs: 'compat', object: { metadata: { name: 'c' } } });
    expect(taken?.object).not.toHaveProperty('metadata.annotations');
  });

  it('gives manifests without what the API server and Gatekeeper added', () => {
    const [taken] = plan([constraint('K8sAllowedRepos', { repos: ['harbor.io/'] }, { team: 'a' })], []).taken;
    expect(taken?.object).toEqual({
      apiVersion: 'constraints.gatekeeper.sh/v1beta1',
      kind: 'K8sAllowedRepos',
      metadata: { name: 'c', annotations: { team: 'a' } },
      spec: { parameters: { repos: ['harbor.io/'] } },
    });
  });

  it('leaves behind what it does not know, by name', () => {
    const own = constraint('K8sRequiredLabels', {});
    const changed = constraint('K8sAllowedRepos', { repos: ['a/'] });
    const templates = [template('K8sRequiredLabels')];
    expect(plan([own], [], { templates })).toMatchObject({ taken: [], left: [{}, { what: 'K8sRequiredLabels c' }] });
    const foreign = plan([changed], [], { templates: [template('K8sAllowedRepos')], foreign: 'other Rego' });
    expect(foreign.left.map(({ why }) => why)).toEqual(['other Rego', 'other Rego']);
    expect(plan([constraint('K8sAllowedRepos', { repos: 1 })], []).left).toHaveLength(1);
  });
});
