import { CONSTRAINT_GROUP, CONSTRAINT_KINDS, pluralOf } from '../constraints/kinds/kinds.ts';
import { MUTATING_CONFIGURATION, WEBHOOK_CONFIGURATION } from './webhook-configuration.ts';

export interface GuardRightsOptions {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Where the guard probes the API server with dry runs. */
  readonly probeNamespace: string;
  /** Secret with a certificate of somebody else's, when one is used: it may be read and not written. */
  readonly foreignSecret?: string;
}

const ROLE = 'breakwater-guard';
const RBAC = 'rbac.authorization.k8s.io';
const READ = ['get', 'list', 'watch'];
const KEEP = [...READ, 'create', 'update', 'patch', 'delete'];
/** Of the guard, in its own namespace. */
export const SECRET_NAME = 'breakwater-webhook-certificates';
export const LEASE_NAME = 'breakwater-guard-leader';

/** The rights of a guard: to read what runs pods, to write what it is the author of, nothing else. */
export function guardRights(options: GuardRightsOptions): object[] {
  const { namespace, serviceAccount, probeNamespace, foreignSecret } = options;
  const subjects = [{ kind: 'ServiceAccount', name: serviceAccount, namespace }];
  const inNamespace = (where: string, name: string, rules: readonly object[]) => [
    { apiVersion: `${RBAC}/v1`, kind: 'Role', metadata: { name, namespace: where }, rules },
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'RoleBinding',
      metadata: { name, namespace: where },
      roleRef: { apiGroup: RBAC, kind: 'Role', name },
      subjects,
    },
  ];
  return [
    { apiVersion: `${RBAC}/v1`, kind: 'ClusterRole', metadata: { name: ROLE }, rules: clusterRules() },
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: ROLE },
      roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: ROLE },
      subjects,
    },
    ...inNamespace(namespace, ROLE, ownRules(foreignSecret)),
    // A kind without effect: the probe needs no right to create pods.
    ...inNamespace(probeNamespace, `${ROLE}-probe`, [rule([''], ['podtemplates'], ['create'])]),
  ];
}

function clusterRules(): object[] {
  const plurals = CONSTRAINT_KINDS.map(pluralOf);
  const definitions = plurals.map((plural) => `${plural}.${CONSTRAINT_GROUP}`);
  return [
    rule([''], ['namespaces', 'pods', 'podtemplates', 'replicationcontrollers'], READ),
    rule(['apps'], ['deployments', 'statefulsets', 'daemonsets', 'replicasets'], READ),
    rule(['batch'], ['jobs', 'cronjobs'], READ),
    rule([CONSTRAINT_GROUP], plurals, [...READ, 'create', 'patch']),
    rule(
      [CONSTRAINT_GROUP],
      plurals.map((plural) => `${plural}/status`),
      ['get', 'update', 'patch'],
    ),
    rule(['expansion.gatekeeper.sh'], ['expansiontemplate'], READ),
    rule(['config.gatekeeper.sh'], ['configs'], READ),
    rule(['apiextensions.k8s.io'], ['customresourcedefinitions'], [...READ, 'patch'], definitions),
    rule(
      ['admissionregistration.k8s.io'],
      ['validatingwebhookconfigurations'],
      ['get', 'patch'],
      [WEBHOOK_CONFIGURATION],
    ),
    rule(
      ['admissionregistration.k8s.io'],
      ['mutatingwebhookconfigurations'],
      ['get', 'patch'],
      [MUTATING_CONFIGURATION],
    ),
    rule(['wgpolicyk8s.io'], ['policyreports', 'clusterpolicyreports'], KEEP),
    rule(['openreports.io'], ['reports', 'clusterreports'], KEEP),
    rule(['', 'events.k8s.io'], ['events'], ['create', 'patch', 'update']),
  ];
}

/** `create` cannot be limited by name: the name is not known yet when it is asked for. */
function ownRules(foreignSecret: string | undefined): object[] {
  return [
    rule(['coordination.k8s.io'], ['leases'], ['create']),
    rule(['coordination.k8s.io'], ['leases'], ['get', 'update', 'patch'], [LEASE_NAME]),
    rule([''], ['configmaps'], ['get', 'list', 'create', 'update', 'patch', 'delete']),
    ...(foreignSecret === undefined
      ? [rule([''], ['secrets'], ['create']), rule([''], ['secrets'], ['get', 'update', 'patch'], [SECRET_NAME])]
      : [rule([''], ['secrets'], ['get'], [foreignSecret])]),
  ];
}

function rule(
  apiGroups: readonly string[],
  resources: readonly string[],
  verbs: readonly string[],
  resourceNames?: readonly string[],
): object {
  return { apiGroups, resources, verbs, ...(resourceNames === undefined ? {} : { resourceNames }) };
}
