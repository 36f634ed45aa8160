import { EXCLUDED_NAMESPACES, IGNORE_LABEL } from '../constraints/default-match.ts';
import { CONSTRAINT_GROUP, CONSTRAINT_KINDS, pluralOf } from '../constraints/kinds/kinds.ts';

/**
 * Our own name and not `gatekeeper-validating-webhook-configuration`: applying our manifests beside a live Gatekeeper
 * must not overwrite its configuration. What users see in messages is the name of the entry inside.
 */
export const WEBHOOK_CONFIGURATION = 'breakwater-validating-webhook-configuration';
/** Only where images are pinned. */
export const MUTATING_CONFIGURATION = 'breakwater-mutating-webhook-configuration';

export interface WebhookConfigurationOptions {
  /** How the API server reaches the webhook: `url` = origin like https://10.0.0.5:8443, or a service in `namespace`. */
  readonly webhook: { readonly url: string } | { readonly service: string; readonly port?: number };
  /** PEM; absent when a running guard, or somebody else, writes it into the configuration. */
  readonly caBundle?: string;
  /** What happens to workloads while no guard answers; `Ignore` when absent. */
  readonly failurePolicy?: 'Ignore' | 'Fail';
  /** The guard's own. */
  readonly namespace: string;
}

const TIMEOUT_SECONDS = 3;
const POD_RESOURCES = ['pods', 'pods/ephemeralcontainers'];
const LABELLED = `has(object.metadata.labels) && '${IGNORE_LABEL}' in object.metadata.labels`;
const LABELLED_BEFORE = `oldObject != null && ${LABELLED.replaceAll('object.', 'oldObject.')}`;

/**
 * The configuration of the webhook: narrow rules (every way an image enters a cluster and no other), failing open
 * unless told otherwise; the label guard, which fails closed; and a look at our constraints when they are applied.
 */
export function webhookConfiguration(options: WebhookConfigurationOptions): object {
  const common = {
    admissionReviewVersions: ['v1'],
    matchPolicy: 'Equivalent',
    sideEffects: 'None',
    timeoutSeconds: TIMEOUT_SECONDS,
  };
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: WEBHOOK_CONFIGURATION },
    webhooks: [
      {
        name: 'validation.gatekeeper.sh',
        ...common,
        // A request that is no dry run is counted and may be recorded; nothing else changes.
        sideEffects: 'NoneOnDryRun',
        clientConfig: clientConfig(options, '/v1/admit'),
        failurePolicy: options.failurePolicy ?? 'Ignore',
        // Under `Fail` nothing that the cluster or the guard needs to come back may wait for the guard.
        namespaceSelector: outside([
          ...(options.failurePolicy === 'Fail' ? EXCLUDED_NAMESPACES : []),
          options.namespace,
        ]),
        rules: WORKLOAD_RULES,
      },
      {
        name: 'check-ignore-label.gatekeeper.sh',
        ...common,
        clientConfig: clientConfig(options, '/v1/admitlabel'),
        // Safe to fail closed: only a write that sets the label is ever asked about.
        failurePolicy: 'Fail',
        matchConditions: [
          { name: 'sets-the-ignore-label', expression: `object != null && ${LABELLED} && !(${LABELLED_BEFORE})` },
        ],
        // Labels can be written through the subresources too.
        rules: [rule([''], ['namespaces', 'namespaces/status', 'namespaces/finalize'], '*')],
      },
      {
        name: 'constraints.guard.breakwater',
        ...common,
        clientConfig: clientConfig(options, '/v1/constraints'),
        failurePolicy: 'Ignore',
        rules: [rule([CONSTRAINT_GROUP], CONSTRAINT_KINDS.map(pluralOf), 'Cluster')],
      },
    ],
  };
}

/** What runs pods, and every way an image enters a cluster through it. */
export const WORKLOAD_RULES: readonly object[] = [
  rule([''], [...POD_RESOURCES, 'replicationcontrollers', 'podtemplates'], 'Namespaced'),
  rule(['apps'], ['deployments', 'statefulsets', 'daemonsets', 'replicasets'], 'Namespaced'),
  rule(['batch'], ['jobs', 'cronjobs'], 'Namespaced'),
];
/** Pods alone. */
export const POD_RULES: readonly object[] = [rule([''], POD_RESOURCES, 'Namespaced')];

/** Every namespace but these and those with the ignore label. */
export function outside(namespaces: readonly string[]): object {
  return {
    matchExpressions: [
      { key: IGNORE_LABEL, operator: 'DoesNotExist' },
      { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: namespaces },
    ],
  };
}

function rule(apiGroups: readonly string[], resources: readonly string[], scope: string): object {
  return { apiGroups, apiVersions: ['*'], resources, operations: ['CREATE', 'UPDATE'], scope };
}

/** `clientConfig` of a webhook: how the API server reaches a path of the guard and whom it trusts there. */
export function clientConfig(
  { webhook, caBundle, namespace }: Pick<WebhookConfigurationOptions, 'webhook' | 'caBundle' | 'namespace'>,
  path: string,
): object {
  const bundle = caBundle === undefined ? {} : { caBundle: Buffer.from(caBundle).toString('base64') };
  if ('url' in webhook) return { url: `${webhook.url.replace(/\/+$/, '')}${path}`, ...bundle };
  return { service: { name: webhook.service, namespace, path, port: webhook.port ?? 443 }, ...bundle };
}
