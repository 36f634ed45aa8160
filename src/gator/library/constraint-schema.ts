import { readSchema, type Schema } from './schema.ts';

const TEXTS = { type: 'array', items: { type: 'string' } };
const WILDCARD = { type: 'string', pattern: '^\\*?[-:a-z0-9]*\\*?$' };
const WILDCARDS = { type: 'array', items: WILDCARD };
const SELECTOR = {
  type: 'object',
  properties: {
    matchLabels: { type: 'object', additionalProperties: { type: 'string' } },
    matchExpressions: {
      type: 'array',
      items: {
        type: 'object',
        required: ['key', 'operator'],
        properties: { key: { type: 'string' }, operator: { type: 'string' }, values: TEXTS },
      },
    },
  },
};

/** `spec.match` as Gatekeeper defines it in every kind of constraint. */
const MATCH = {
  type: 'object',
  properties: {
    source: { type: 'string', enum: ['All', 'Generated', 'Original'] },
    kinds: { type: 'array', items: { type: 'object', properties: { apiGroups: TEXTS, kinds: TEXTS } } },
    scope: { type: 'string' },
    namespaces: WILDCARDS,
    excludedNamespaces: WILDCARDS,
    labelSelector: SELECTOR,
    namespaceSelector: SELECTOR,
    name: WILDCARD,
  },
};

const SCOPED_ACTIONS = {
  type: 'array',
  items: {
    type: 'object',
    properties: {
      action: { type: 'string' },
      enforcementPoints: { type: 'array', items: { type: 'object', properties: { name: { type: 'string' } } } },
    },
  },
};

const WHOLE = readSchema({
  type: 'object',
  properties: {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
      properties: { name: { type: 'string', maxLength: 63 } },
    },
    spec: {
      type: 'object',
      properties: {
        match: MATCH,
        enforcementAction: { type: 'string', default: 'deny' },
        scopedEnforcementActions: SCOPED_ACTIONS,
      },
    },
    status: { 'x-kubernetes-preserve-unknown-fields': true },
  },
});

/** The schema of a constraint whose template gives its parameters this one; without, it may have none. */
export function constraintSchema(parameters: Schema | undefined): Schema {
  const spec = WHOLE.properties.get('spec');
  if (parameters === undefined || spec === undefined) return WHOLE;
  const withParameters = { ...spec, properties: new Map([...spec.properties, ['parameters', parameters] as const]) };
  return { ...WHOLE, properties: new Map([...WHOLE.properties, ['spec', withParameters] as const]) };
}
