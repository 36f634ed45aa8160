import { stringify } from 'yaml';
import {
  CONSTRAINT_GROUP,
  CONSTRAINT_KIND,
  CONSTRAINT_PLURAL,
  type EnforcementAction,
  type MessageStyle,
  STYLE_ANNOTATION,
} from '../constraints/constraint.ts';
import { DEFAULT_KINDS, EXCLUDED_NAMESPACES, IGNORE_LABEL } from '../constraints/default-match.ts';
import { constraintDefinition, WANTED_CONSTRAINT_ANNOTATION } from './constraint-definition.ts';

export interface GuardManifestOptions {
  readonly constraintName: string;
  /** The trusted set, as the constraint lists it. */
  readonly repos: readonly string[];
  readonly enforcementAction: EnforcementAction;
  readonly style?: MessageStyle;
  /** How the API server reaches the webhook: `url` = origin like https://10.0.0.5:8443, or a service in `namespace`. */
  readonly webhook: { readonly url: string } | { readonly service: string; readonly port?: number };
  /** PEM, from `Certificates.caBundle`. */
  readonly caBundle: string;
  readonly failurePolicy?: 'Ignore' | 'Fail';
  /** `by-guard` (default): a running guard makes the constraint; `document`: it is printed as a document. */
  readonly constraint?: 'by-guard' | 'document';
  readonly namespace?: string;
  readonly serviceAccount?: string;
  /** Beside the cluster's own: namespaces the constraint does not cover. */
  readonly excludedNamespaces?: readonly string[];
}

/**
 * Our own name and not `gatekeeper-validating-webhook-configuration`: applying these manifests beside a live Gatekeeper
 * must not overwrite its configuration. What users see in messages is the name of the entry inside.
 */
export const WEBHOOK_CONFIGURATION = 'breakwater-validating-webhook-configuration';
/** Only where images are pinned. */
export const MUTATING_CONFIGURATION = 'breakwater-mutating-webhook-configuration';
const DEFAULT_NAMESPACE = 'breakwater-system';
const TIMEOUT_SECONDS = 3;

const HEADER = '# Breakwater guard: constraint kind, webhook, rights of the audit. Apply with: kubectl apply -f -\n';
const BY_GUARD = `# The constraint below is carried in the annotation ${WANTED_CONSTRAINT_ANNOTATION} of the definition above. kubectl looks up
# all kinds before it creates any, so one apply cannot create this one; a guard with access to the cluster does it
# within seconds. Change it with kubectl, or apply newly printed manifests; editing these comments does nothing.
`;

/**
 * Everything a cluster needs, as YAML that one `kubectl apply -f -` sets up completely, also on a cluster that does not
 * know the kind yet. With `constraint: 'document'` the constraint is a document of its own at the end: for clusters
 * whose guard has no access to the API server; the first apply on a new cluster then has to be repeated.
 */
export function renderGuardManifests(options: GuardManifestOptions): string {
  const names = {
    namespace: options.namespace ?? DEFAULT_NAMESPACE,
    serviceAccount: options.serviceAccount ?? 'breakwater-guard',
  };
  const constraint = constraintObject(options);
  const byGuard = options.constraint !== 'document';
  const definition = constraintDefinition(
    byGuard ? { [WANTED_CONSTRAINT_ANNOTATION]: JSON.stringify(constraint) } : {},
  );
  const objects = [
    definition,
    namespaceObject(names.namespace),
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: names.serviceAccount, namespace: names.namespace } },
    ...rights(names),
    webhookConfiguration(options, names.namespace),
    ...(byGuard ? [] : [constraint]),
  ];
  const shown = byGuard ? BY_GUARD + asYaml(constraint).replaceAll(/^(?=.)/gm, '# ') : '';
  return HEADER + objects.map((object) => `---\n${asYaml(object)}`).join('') + shown;
}

/** kubectl reads YAML 1.1, where a bare `yes` or `on` is no string. */
function asYaml(object: object): string {
  return stringify(object, { lineWidth: 0, version: '1.1', aliasDuplicateObjects: false });
}

function constraintObject(options: GuardManifestOptions): object {
  return {
    apiVersion: `${CONSTRAINT_GROUP}/v1beta1`,
    kind: CONSTRAINT_KIND,
    metadata: {
      name: options.constraintName,
      ...(options.style ? { annotations: { [STYLE_ANNOTATION]: options.style } } : {}),
    },
    spec: {
      enforcementAction: options.enforcementAction,
      match: {
        kinds: DEFAULT_KINDS,
        excludedNamespaces: [...EXCLUDED_NAMESPACES, ...(options.excludedNamespaces ?? [])],
      },
      parameters: { repos: [...options.repos] },
    },
  };
}

function namespaceObject(name: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { 'app.kubernetes.io/name': 'breakwater' } },
  };
}

function rights({ namespace, serviceAccount }: { namespace: string; serviceAccount: string }): object[] {
  const role = 'breakwater-guard';
  const read = ['get', 'list', 'watch'];
  return [
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: role },
      rules: [
        { apiGroups: [''], resources: ['namespaces', 'pods', 'podtemplates', 'replicationcontrollers'], verbs: read },
        { apiGroups: ['apps'], resources: ['deployments', 'statefulsets', 'daemonsets', 'replicasets'], verbs: read },
        { apiGroups: ['batch'], resources: ['jobs', 'cronjobs'], verbs: read },
        { apiGroups: [CONSTRAINT_GROUP], resources: [CONSTRAINT_PLURAL], verbs: [...read, 'create', 'patch'] },
        {
          apiGroups: [CONSTRAINT_GROUP],
          resources: [`${CONSTRAINT_PLURAL}/status`],
          verbs: ['get', 'update', 'patch'],
        },
        {
          apiGroups: ['apiextensions.k8s.io'],
          resources: ['customresourcedefinitions'],
          resourceNames: [`${CONSTRAINT_PLURAL}.${CONSTRAINT_GROUP}`],
          verbs: [...read, 'patch'],
        },
        {
          apiGroups: ['admissionregistration.k8s.io'],
          resources: ['validatingwebhookconfigurations'],
          resourceNames: [WEBHOOK_CONFIGURATION],
          verbs: ['get', 'patch'],
        },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: role },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
      subjects: [{ kind: 'ServiceAccount', name: serviceAccount, namespace }],
    },
  ];
}

function webhookConfiguration(options: GuardManifestOptions, namespace: string): object {
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
        clientConfig: clientConfig(options, namespace, '/v1/admit'),
        failurePolicy: options.failurePolicy ?? 'Ignore',
        namespaceSelector: {
          matchExpressions: [
            { key: IGNORE_LABEL, operator: 'DoesNotExist' },
            { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system', namespace] },
          ],
        },
        rules: [
          rule([''], ['pods', 'pods/ephemeralcontainers', 'replicationcontrollers', 'podtemplates'], 'Namespaced'),
          rule(['apps'], ['deployments', 'statefulsets', 'daemonsets', 'replicasets'], 'Namespaced'),
          rule(['batch'], ['jobs', 'cronjobs'], 'Namespaced'),
        ],
      },
      {
        name: 'check-ignore-label.gatekeeper.sh',
        ...common,
        clientConfig: clientConfig(options, namespace, '/v1/admitlabel'),
        // Safe to fail closed: only a namespace that brings the label is ever asked about.
        failurePolicy: 'Fail',
        matchConditions: [
          {
            name: 'brings-the-ignore-label',
            expression: `object != null && has(object.metadata.labels) && '${IGNORE_LABEL}' in object.metadata.labels`,
          },
        ],
        rules: [rule([''], ['namespaces'], '*')],
      },
    ],
  };
}

function rule(apiGroups: readonly string[], resources: readonly string[], scope: string): object {
  return { apiGroups, apiVersions: ['*'], resources, operations: ['CREATE', 'UPDATE'], scope };
}

function clientConfig({ webhook, caBundle }: GuardManifestOptions, namespace: string, path: string): object {
  const bundle = { caBundle: Buffer.from(caBundle).toString('base64') };
  if ('url' in webhook) return { url: `${webhook.url.replace(/\/+$/, '')}${path}`, ...bundle };
  return { service: { name: webhook.service, namespace, path, port: webhook.port ?? 443 }, ...bundle };
}
