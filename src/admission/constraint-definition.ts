import { CONSTRAINT_GROUP, type ConstraintKind, KIND_DEFINITIONS, pluralOf } from '../constraints/kinds/kinds.ts';

/** On the definition: the constraint (JSON) that a running guard creates or changes, once per text. */
export const WANTED_CONSTRAINT_ANNOTATION = 'breakwater/wanted-constraint';

/** Tells our definitions from those that Gatekeeper generates under the same names. */
export const OUR_LABEL = { 'app.kubernetes.io/part-of': 'breakwater' } as const;

const PARAMETERS: Readonly<Record<(typeof KIND_DEFINITIONS)[ConstraintKind]['parameters'][number], string>> = {
  repos: 'registries, projects, repositories or images',
  allowedImages: 'whole images, or beginnings that end in *',
  tags: 'tags that are not allowed',
  exemptImages: 'whole images, or beginnings that end in *, to which this does not apply',
};

/**
 * The CustomResourceDefinition of a kind as Gatekeeper generates it from its library's template: same group, names,
 * versions, categories and columns. Fields we do not know are kept, so that existing constraints survive.
 */
export function constraintDefinition(kind: ConstraintKind, annotations: Readonly<Record<string, string>> = {}): object {
  const plural = pluralOf(kind);
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${CONSTRAINT_GROUP}`,
      labels: { 'gatekeeper.sh/constraint': 'yes', ...OUR_LABEL },
      annotations,
    },
    spec: {
      group: CONSTRAINT_GROUP,
      scope: 'Cluster',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: plural,
        categories: ['constraint', 'constraints'],
      },
      versions: [version(kind, 'v1beta1', true), version(kind, 'v1alpha1', false)],
    },
  };
}

function version(kind: ConstraintKind, name: string, storage: boolean): object {
  return {
    name,
    served: true,
    storage,
    subresources: { status: {} },
    additionalPrinterColumns: [
      column('enforcement-action', 'string', '.spec.enforcementAction', 'Type of enforcement action'),
      column('total-violations', 'integer', '.status.totalViolations', 'Total number of violations'),
    ],
    schema: { openAPIV3Schema: schema(kind) },
  };
}

function column(name: string, type: string, jsonPath: string, description: string): object {
  return { name, type, jsonPath, description };
}

/** Gatekeeper's own: what it refuses is refused here too, also while no guard is there to look at it. */
const NAME_PATTERN = { type: 'string', pattern: String.raw`^\*?[-:a-z0-9]*\*?$` };

function schema(kind: ConstraintKind): object {
  const strings = { type: 'array', items: { type: 'string' } };
  const open = { 'x-kubernetes-preserve-unknown-fields': true };
  const parameters = KIND_DEFINITIONS[kind].parameters.map((name) => [
    name,
    { ...strings, description: PARAMETERS[name] },
  ]);
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
            // Empty counts as absent.
            enum: ['deny', 'warn', 'dryrun', 'scoped', ''],
          },
          match: {
            type: 'object',
            ...open,
            properties: {
              namespaces: { type: 'array', nullable: true, items: NAME_PATTERN },
              excludedNamespaces: { type: 'array', nullable: true, items: NAME_PATTERN },
              name: { ...NAME_PATTERN, nullable: true },
            },
          },
          parameters: { type: 'object', ...open, properties: Object.fromEntries(parameters) },
        },
      },
      status: { type: 'object', ...open },
    },
  };
}
