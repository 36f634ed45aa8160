import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { parseConstraint } from '../constraints/constraint.ts';
import { type GuardManifestOptions, ManifestError, renderGuardManifests } from './manifests.ts';

const options: GuardManifestOptions = {
  constraintName: 'require-harbor-repo',
  repos: ['harbor.cksc.a1ck.io', 'quay.io/jetstack/cert-manager-acmesolver'],
  enforcementAction: 'warn',
  webhook: { url: 'https://127.0.0.1:8443/' },
  caBundle: 'PEM',
};

interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly annotations?: Record<string, string> };
  readonly webhooks: {
    readonly name: string;
    readonly failurePolicy: string;
    readonly rules: { readonly resources: string[] }[];
    readonly clientConfig: { readonly service?: object };
  }[];
  readonly spec: { readonly parameters: { readonly repos: string[] } };
}

function objects(more: Partial<GuardManifestOptions> = {}): Rendered[] {
  return parseAllDocuments(renderGuardManifests({ ...options, ...more })).map(
    (document) => document.toJS() as Rendered,
  );
}

function webhooks(more: Partial<GuardManifestOptions> = {}): Rendered['webhooks'] {
  return objects(more).find(({ kind }) => kind === 'ValidatingWebhookConfiguration')?.webhooks ?? [];
}

describe('guard manifests', () => {
  it('list the kind first and, when asked, the constraint last', () => {
    expect(objects().map(({ kind }) => kind)).not.toContain('K8sAllowedRepos');
    expect(objects({ constraint: 'document' }).map(({ kind }) => kind)).toEqual([
      ...Array.from({ length: 5 }, () => 'CustomResourceDefinition'),
      'Namespace',
      'ServiceAccount',
      'ClusterRole',
      'ClusterRoleBinding',
      'Role',
      'RoleBinding',
      'Role',
      'RoleBinding',
      'ValidatingWebhookConfiguration',
      'K8sAllowedRepos',
    ]);
  });

  it('hold the constraint that was asked for, also as the one a guard makes', () => {
    const [definition] = objects();
    const text = definition?.metadata.annotations?.['breakwater/wanted-constraint'] ?? '';
    const document = objects({ constraint: 'document' });
    const constraint = parseConstraint(document.at(-1));
    expect(constraint).toMatchObject({
      name: 'require-harbor-repo',
      enforcementAction: 'warn',
      rule: { list: options.repos },
    });
    expect(constraint.problems).toEqual([]);
    expect(JSON.parse(text)).toEqual(document.at(-1));
    expect(document[0]?.metadata.annotations).toEqual({});
    const shown = renderGuardManifests(options).split('editing these comments does nothing.\n')[1] ?? '';
    expect(parseAllDocuments(shown.replaceAll(/^# /gm, ''))[0]?.toJS()).toEqual(document.at(-1));
  });

  it('ask the webhook narrowly, fail open by default, and name it as users see it', () => {
    const [validation, guard] = webhooks();
    expect(validation).toMatchObject({
      name: 'validation.gatekeeper.sh',
      failurePolicy: 'Ignore',
      timeoutSeconds: 3,
      matchPolicy: 'Equivalent',
      sideEffects: 'NoneOnDryRun',
      clientConfig: { url: 'https://127.0.0.1:8443/v1/admit', caBundle: 'UEVN' },
    });
    expect(validation?.rules.flatMap((one) => one.resources)).toContain('pods/ephemeralcontainers');
    expect(JSON.stringify(validation?.rules)).not.toMatch(/leases|nodes|events|"\*\/\*"/);
    expect(guard?.name).toBe('check-ignore-label.gatekeeper.sh');
  });

  it('reach it as a service and fail closed when asked', () => {
    const [validation] = webhooks({ webhook: { service: 'w' }, failurePolicy: 'Fail', replicas: 2, namespace: 'ns' });
    expect(validation?.failurePolicy).toBe('Fail');
    expect(validation?.clientConfig.service).toEqual({ name: 'w', namespace: 'ns', path: '/v1/admit', port: 443 });
  });

  it('refuse to fail closed behind a single guard, and say why', () => {
    expect(() => webhooks({ failurePolicy: 'Fail' })).toThrow(
      'failurePolicy Fail needs at least 2 replicas of the guard, there is 1: while a single one restarts, no pod could start',
    );
    expect(() => webhooks({ failurePolicy: 'Fail', replicas: 0 })).toThrow(ManifestError);
    const [validation] = webhooks({ failurePolicy: 'Fail', replicas: 2 });
    expect(JSON.stringify(validation)).toContain(
      '"values":["kube-system","kube-public","kube-node-lease","breakwater-system"]',
    );
  });

  it('ask about the system namespaces unless that could stop the cluster', () => {
    expect(JSON.stringify(webhooks()[0])).toContain('"operator":"NotIn","values":["breakwater-system"]');
    expect(JSON.stringify(webhooks()[0])).not.toContain('kube-');
  });

  it('come whole with one apply, and say so when nobody will read the constraint', () => {
    const text = renderGuardManifests({ ...options, constraint: 'later' });
    expect(objects({ constraint: 'later' })).toEqual(objects());
    expect(text).toContain('does not follow the cluster. It only warns');
    expect(text).toContain('BREAKWATER_KUBECONFIG=FILE');
    const none = renderGuardManifests({ ...options, constraint: 'none' });
    expect(none).not.toContain('require-harbor-repo');
  });

  it('leave the bundle out when a running guard writes it', () => {
    const { caBundle: _left, ...rest } = options;
    expect(renderGuardManifests(rest)).not.toContain('caBundle');
  });

  it('ask about our constraints, and never block them for want of a guard', () => {
    const asked = webhooks().find(({ name }) => name.startsWith('constraints.'));
    expect(asked?.failurePolicy).toBe('Ignore');
    expect(asked?.rules[0]?.resources).toEqual([
      'k8sallowedrepos',
      'k8sallowedreposv2',
      'k8sdisallowedrepos',
      'k8sdisallowedtags',
      'k8simagedigests',
    ]);
  });

  it('quote what YAML 1.1 would not take for a string', () => {
    expect(renderGuardManifests(options)).toContain('gatekeeper.sh/constraint: "yes"');
  });

  it('keep hostile names inside their strings', () => {
    const repos = ['a: b', '- x', '---\nkind: Secret', '# c', '"'];
    const all = objects({ repos, constraint: 'document' });
    expect(all).toHaveLength(15);
    expect(all.at(-1)?.spec.parameters.repos).toEqual(repos);
  });
});
