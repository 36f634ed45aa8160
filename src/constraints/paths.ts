import { CONSTRAINT_PLURAL } from './constraint.ts';
import { CONSTRAINT_GROUP, type ConstraintKind, pluralOf } from './kinds/kinds.ts';

/** Where the API server serves the constraints of a kind. */
export function constraintsPath(kind: ConstraintKind): string {
  return `/apis/${CONSTRAINT_GROUP}/v1beta1/${pluralOf(kind)}`;
}

export const CONSTRAINTS_PATH = `/apis/${CONSTRAINT_GROUP}/v1beta1/${CONSTRAINT_PLURAL}`;
export const EXPANSIONS_PATH = '/apis/expansion.gatekeeper.sh/v1beta1/expansiontemplate';
export const CONFIGS_PATH = '/apis/config.gatekeeper.sh/v1alpha1/configs';
export const NAMESPACES_PATH = '/api/v1/namespaces';
export const DEFINITION_NAME = `${CONSTRAINT_PLURAL}.${CONSTRAINT_GROUP}`;
export const DEFINITIONS_PATH = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
export const DEFINITION_PATH = `${DEFINITIONS_PATH}/${DEFINITION_NAME}`;

export interface AuditedKind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly path: string;
}

/** Everything that runs pods, owners before what they own, so that a finding is reported at the top. */
export const AUDITED_KINDS: readonly AuditedKind[] = [
  { apiVersion: 'batch/v1', kind: 'CronJob', path: '/apis/batch/v1/cronjobs' },
  { apiVersion: 'apps/v1', kind: 'Deployment', path: '/apis/apps/v1/deployments' },
  { apiVersion: 'apps/v1', kind: 'StatefulSet', path: '/apis/apps/v1/statefulsets' },
  { apiVersion: 'apps/v1', kind: 'DaemonSet', path: '/apis/apps/v1/daemonsets' },
  { apiVersion: 'v1', kind: 'ReplicationController', path: '/api/v1/replicationcontrollers' },
  { apiVersion: 'batch/v1', kind: 'Job', path: '/apis/batch/v1/jobs' },
  { apiVersion: 'apps/v1', kind: 'ReplicaSet', path: '/apis/apps/v1/replicasets' },
  { apiVersion: 'v1', kind: 'PodTemplate', path: '/api/v1/podtemplates' },
  { apiVersion: 'v1', kind: 'Pod', path: '/api/v1/pods' },
];
