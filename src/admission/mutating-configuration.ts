import { IGNORE_LABEL } from '../constraints/default-match.ts';

export const MUTATING_CONFIGURATION = 'breakwater-mutating-webhook-configuration';
export const MUTATE_PATH = '/v1/mutate';

export interface MutatingConfigurationOptions {
  /** `clientConfig` for the path `/v1/mutate`: how the API server reaches the webhook and whom it trusts. */
  readonly clientConfig: object;
  /** The guard's own namespace: left out. */
  readonly namespace: string;
  /** Ask about what makes pods too. */
  readonly templates: boolean;
}

/** A pod waits for every mutating webhook in turn, and pinning is never worth waiting for. */
const TIMEOUT_SECONDS = 2;
const POD_RESOURCES = [{ group: '', resources: ['pods', 'pods/ephemeralcontainers'] }];
const TEMPLATE_RESOURCES = [
  { group: '', resources: ['pods', 'pods/ephemeralcontainers', 'replicationcontrollers', 'podtemplates'] },
  { group: 'apps', resources: ['deployments', 'statefulsets', 'daemonsets', 'replicasets'] },
  { group: 'batch', resources: ['jobs', 'cronjobs'] },
];

/**
 * The webhook configuration that asks for pins. `Ignore`: without an answer a tag stays a tag and the pod starts.
 * `IfNeeded`: what another webhook adds after us is pinned too.
 */
export function mutatingConfiguration({ clientConfig, namespace, templates }: MutatingConfigurationOptions): object {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: MUTATING_CONFIGURATION },
    webhooks: [
      {
        name: 'pinning.guard.breakwater',
        admissionReviewVersions: ['v1'],
        clientConfig,
        failurePolicy: 'Ignore',
        matchPolicy: 'Equivalent',
        reinvocationPolicy: 'IfNeeded',
        sideEffects: 'None',
        timeoutSeconds: TIMEOUT_SECONDS,
        namespaceSelector: {
          matchExpressions: [
            { key: IGNORE_LABEL, operator: 'DoesNotExist' },
            { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system', namespace] },
          ],
        },
        rules: (templates ? TEMPLATE_RESOURCES : POD_RESOURCES).map(({ group, resources }) => ({
          apiGroups: [group],
          apiVersions: ['*'],
          resources,
          operations: ['CREATE', 'UPDATE'],
          scope: 'Namespaced',
        })),
      },
    ],
  };
}
