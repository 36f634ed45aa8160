import { CONSTRAINT_GROUP, CONSTRAINT_KIND, CONSTRAINT_PLURAL } from '../constraints/constraint.ts';

/** On the definition: the constraint (JSON) that a running guard creates or changes, once per text. */
export const WANTED_CONSTRAINT_ANNOTATION = 'breakwater/wanted-constraint';

/**
 * The CustomResourceDefinition of `K8sAllowedRepos` as Gatekeeper generates it from its library's template: same
 * group, names, versions, categories and columns. Fields we do not know are kept, so that existing constraints survive.
 */
export function constraintDefinition(annotations: Readonly<Record<string, string>>): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${CONSTRAINT_PLURAL}.${CONSTRAINT_GROUP}`,
      labels: { 'gatekeeper.sh/constraint': 'yes' },
      annotations,
    },
    spec: {
      group: CONSTRAINT_GROUP,
      scope: 'Cluster',
      names: {
        kind: CONSTRAINT_KIND,
        listKind: `${CONSTRAINT_KIND}List`,
        plural: CONSTRAINT_PLURAL,
        singular: CONSTRAINT_PLURAL,
        categories: ['constraint', 'constraints'],
      },
      versions: [version('v1beta1', true), version('v1alpha1', false)],
    },
  };
}

function version(name: string, storage: boolean): object {
  return {
    name,
    served: true,
    storage,
    subresources: { status: {} },
    additionalPrinterColumns: [
      column('enforcement-action', 'string', '.spec.enforcementAction', 'Type of enforcement action'),
      column('total-violations', 'integer', '.status.totalViolations', 'Total number of violations'),
    ],
    schema: { openAPIV3Schema: schema() },
  };
}

function column(name: string, type: string, jsonPath: string, description: string): object {
  return { name, type, jsonPath, description };
}

function schema(): object {
  const strings = { type: 'array', items: { type: 'string' } };
  const open = { 'x-kubernetes-preserve-unknown-fields': true };
  return {
    type: 'object',
    properties: {
      metadata: { type: 'object', properties: { name: { type: 'string', maxLength: 63 } } },
      spec: {
        type: 'object',
        ...open,
        properties: {
          enforcementAction: {
            type: 'string',
            description: 'deny (default), warn or dryrun',
            enum: ['deny', 'warn', 'dryrun', 'scoped'],
          },
          match: { type: 'object', ...open },
          parameters: {
            type: 'object',
            ...open,
            properties: {
              repos: { ...strings, description: 'registries, projects, repositories or images that are trusted' },
            },
          },
        },
      },
      status: { type: 'object', ...open },
    },
  };
}
