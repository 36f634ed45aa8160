import { isRecord } from '../../platform/json-object.ts';
import { GatorError, SAYS } from '../errors.ts';

import { compileRegex, type Regex } from '../regex/regex.ts';

/** The part of an OpenAPI v3 schema that Kubernetes holds an object against. */
export interface Schema {
  readonly type?: string | undefined;
  readonly properties: ReadonlyMap<string, Schema>;
  readonly additional: Schema | boolean | undefined;
  readonly items: Schema | undefined;
  readonly required: readonly string[];
  readonly enum: readonly unknown[] | undefined;
  readonly pattern: { readonly text: string; readonly regex: Regex } | undefined;
  readonly limits: Readonly<Partial<Record<Limit, number>>>;
  readonly exclusiveMinimum: boolean;
  readonly exclusiveMaximum: boolean;
  readonly uniqueItems: boolean;
  readonly nullable: boolean;
  readonly preserve: boolean;
  readonly intOrString: boolean;
  readonly fallback: unknown;
}

const LIMITS = [
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
  'minimum',
  'maximum',
] as const;
export type Limit = (typeof LIMITS)[number];

/** Keywords that say nothing about validity. */
const TOLD_ONLY = new Set([
  'description',
  'title',
  'example',
  'externalDocs',
  'format',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
]);
const READ = new Set<string>([
  'type',
  'properties',
  'additionalProperties',
  'items',
  'required',
  'enum',
  'pattern',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'uniqueItems',
  'nullable',
  'default',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-int-or-string',
  ...LIMITS,
]);
const TYPES = new Set(['object', 'array', 'string', 'integer', 'number', 'boolean']);

/**
 * Reads the schema of a template's parameters. `legacy`: fields nobody named are let through, as templates before v1 meant
 * it. Throws `GatorError` for what no definition may have (`template_invalid`) or what we cannot check (`template_unknown`).
 */
export function readSchema(schema: Readonly<Record<string, unknown>>, legacy = false, path = 'parameters'): Schema {
  const odd = Object.keys(schema).find((key) => !READ.has(key) && !TOLD_ONLY.has(key));
  if (odd !== undefined) {
    throw new GatorError(
      'template_unknown',
      `the schema of ${path} uses ${odd}, which is not supported; use gator for it`,
    );
  }
  const { type } = schema;
  const preserve = legacy || schema['x-kubernetes-preserve-unknown-fields'] === true;
  const intOrString = schema['x-kubernetes-int-or-string'] === true;
  if (type === undefined ? !preserve && !intOrString : typeof type !== 'string' || !TYPES.has(type)) {
    throw new GatorError('template_invalid', `${SAYS.invalidTemplate}: the schema of ${path} must have a type`);
  }
  const child = (value: unknown, name: string) =>
    isRecord(value) ? readSchema(value, legacy, `${path}.${name}`) : undefined;
  const properties = isRecord(schema['properties']) ? Object.entries(schema['properties']) : [];
  const additional = schema['additionalProperties'];
  const pattern = schema['pattern'];
  return {
    type: typeof type === 'string' ? type : undefined,
    properties: new Map(
      properties.flatMap(([name, one]) => (isRecord(one) ? [[name, readSchema(one, legacy, `${path}.${name}`)]] : [])),
    ),
    additional: typeof additional === 'boolean' ? additional : child(additional, '*'),
    items: child(schema['items'], '[]'),
    required: Array.isArray(schema['required']) ? schema['required'].map(String) : [],
    enum: Array.isArray(schema['enum']) ? schema['enum'] : undefined,
    pattern: typeof pattern === 'string' ? { text: pattern, regex: compileRegex(pattern) } : undefined,
    limits: Object.fromEntries(
      LIMITS.flatMap((limit) => (typeof schema[limit] === 'number' ? [[limit, schema[limit]]] : [])),
    ),
    exclusiveMinimum: schema['exclusiveMinimum'] === true,
    exclusiveMaximum: schema['exclusiveMaximum'] === true,
    uniqueItems: schema['uniqueItems'] === true,
    nullable: schema['nullable'] === true,
    preserve,
    intOrString,
    fallback: schema['default'],
  };
}

/** Puts defaults into an object where fields are missing; gives a new object. */
export function withDefaults(schema: Schema, value: unknown): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items ? value.map((one) => withDefaults(items, one)) : value;
  }
  if (!isRecord(value)) return value;
  const filled = new Map(Object.entries(value));
  for (const [name, property] of schema.properties) {
    const missing =
      !filled.has(name) || (filled.get(name) === null && !property.nullable && property.fallback !== undefined);
    if (missing && property.fallback !== undefined) filled.set(name, structuredClone(property.fallback));
    if (filled.has(name)) filled.set(name, withDefaults(property, filled.get(name)));
  }
  const { additional } = schema;
  if (typeof additional === 'object') {
    for (const [name, one] of filled) if (!schema.properties.has(name)) filled.set(name, withDefaults(additional, one));
  }
  return Object.fromEntries(filled);
}
