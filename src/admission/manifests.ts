import { stringify } from 'yaml';
import { CONSTRAINT_KIND, STYLE_ANNOTATION } from '../constraints/constraint.ts';
import { DEFAULT_KINDS, EXCLUDED_NAMESPACES } from '../constraints/default-match.ts';
import type { EnforcementAction } from '../constraints/enforcement.ts';
import { CONSTRAINT_GROUP, CONSTRAINT_KINDS } from '../constraints/kinds/kinds.ts';
import type { MessageStyle } from '../constraints/options.ts';
import { CodedError } from '../platform/errors.ts';
import { constraintDefinition, WANTED_CONSTRAINT_ANNOTATION } from './constraint-definition.ts';
import { guardRights } from './guard-rights.ts';
import { mutatingConfiguration } from './mutating-configuration.ts';
import { type WebhookConfigurationOptions, webhookConfiguration } from './webhook-configuration.ts';

export { MUTATING_CONFIGURATION, WEBHOOK_CONFIGURATION } from './webhook-configuration.ts';

export class ManifestError extends CodedError<'fail_needs_replicas'> {}

export interface GuardManifestOptions extends Omit<WebhookConfigurationOptions, 'namespace'> {
  readonly constraintName: string;
  /** The trusted set, as the constraint lists it. */
  readonly repos: readonly string[];
  readonly enforcementAction: EnforcementAction;
  readonly style?: MessageStyle;
  /** How many guards there are behind the webhook's address; 1 when absent. */
  readonly replicas?: number;
  /**
   * `by-guard` (default): a running guard makes the constraint; `later`: the same, and the guard that runs now does not
   * follow the cluster; `document`: it is printed as a document; `none`: there is none.
   */
  readonly constraint?: 'by-guard' | 'later' | 'document' | 'none';
  /** Also the webhook that puts digests behind tags: of pods, or of what makes them too. */
  readonly pinning?: 'pods' | 'templates';
  readonly namespace?: string;
  readonly serviceAccount?: string;
  /** Where the guard probes with dry runs; `default` when absent. */
  readonly probeNamespace?: string;
  readonly foreignSecret?: string;
  /** Beside the cluster's own: namespaces the constraint does not cover. */
  readonly excludedNamespaces?: readonly string[];
}

const DEFAULT_NAMESPACE = 'breakwater-system';

const HEADER = '# Breakwater guard: constraint kinds, webhook, rights of the audit. Apply with: kubectl apply -f -\n';
const BY_GUARD = `# The constraint below is carried in the annotation ${WANTED_CONSTRAINT_ANNOTATION} of the definition above. kubectl looks up
# all kinds before it creates any, so one apply cannot create this one; a guard with access to the cluster does it
# within seconds. Change it with kubectl, or apply newly printed manifests; editing these comments does nothing.
`;
const LATER = `# ATTENTION: the server that printed this does not follow the cluster. It only warns, by its own trusted sources, and no
# constraint changes that. To deny, to audit, and to have constraints count: restart it with BREAKWATER_KUBECONFIG=FILE, or
# run guards in the cluster (docs/guard/helm.md). The constraint below, which the annotation
# ${WANTED_CONSTRAINT_ANNOTATION} of the definition above carries, is made then.
`;

/**
 * Everything a cluster needs, as YAML that one `kubectl apply -f -` sets up completely, also on a cluster that does not
 * know the kinds yet. With `constraint: 'document'` the constraint is a document of its own at the end; the first apply on
 * a new cluster then has to be repeated. Throws
 * `ManifestError` when workloads shall fail closed behind a single guard.
 */
export function renderGuardManifests(options: GuardManifestOptions): string {
  refuseLoneFail(options);
  const namespace = options.namespace ?? DEFAULT_NAMESPACE;
  const serviceAccount = options.serviceAccount ?? 'breakwater-guard';
  const constraint = constraintObject(options);
  const { constraint: how = 'by-guard' } = options;
  const byGuard = how === 'by-guard' || how === 'later';
  const annotations = byGuard ? { [WANTED_CONSTRAINT_ANNOTATION]: JSON.stringify(constraint) } : {};
  const objects = [
    ...CONSTRAINT_KINDS.map((kind) => constraintDefinition(kind, kind === CONSTRAINT_KIND ? annotations : {})),
    namespaceObject(namespace),
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: serviceAccount, namespace } },
    ...guardRights({
      namespace,
      serviceAccount,
      probeNamespace: options.probeNamespace ?? 'default',
      ...(options.foreignSecret === undefined ? {} : { foreignSecret: options.foreignSecret }),
    }),
    webhookConfiguration({ ...options, namespace }),
    ...(options.pinning === undefined
      ? []
      : [mutatingConfiguration({ ...options, namespace, templates: options.pinning === 'templates' })]),
    ...(how === 'document' ? [constraint] : []),
  ];
  const shown = byGuard ? (how === 'later' ? LATER : BY_GUARD) + asYaml(constraint).replaceAll(/^(?=.)/gm, '# ') : '';
  return HEADER + objects.map((object) => `---\n${asYaml(object)}`).join('') + shown;
}

function refuseLoneFail({ failurePolicy, replicas = 1 }: GuardManifestOptions): void {
  if (failurePolicy !== 'Fail' || replicas >= 2) return;
  throw new ManifestError(
    'fail_needs_replicas',
    `failurePolicy Fail needs at least 2 replicas of the guard, there ${replicas === 1 ? 'is' : 'are'} ${replicas}: ` +
      'while a single one restarts, no pod could start in the whole cluster; use Ignore, or run more replicas',
  );
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
