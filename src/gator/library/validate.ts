import { isDeepStrictEqual } from 'node:util';
import { goQuote } from '../../constraints/go-quote.ts';
import { isRecord } from '../../platform/json-object.ts';

import { shown } from './rego-values.ts';
import type { Schema } from './schema.ts';

/** What is wrong with a value under a schema, in the words of the API server; empty when nothing is. */
export function schemaErrors(schema: Schema, value: unknown, path: string): readonly string[] {
  if (value === null) return schema.nullable ? [] : wrongType(schema, value, path);
  if (schema.intOrString && schema.type === undefined) {
    return typeof value === 'string' || Number.isInteger(value) ? [] : wrongType(schema, value, path);
  }
  if (schema.type !== undefined && !hasType(schema.type, value)) return wrongType(schema, value, path);
  const errors: string[] = [];
  if (schema.enum && !schema.enum.some((one) => isDeepStrictEqual(one, value))) {
    errors.push(
      `${path}: Unsupported value: ${quoted(value)}: supported values: ${schema.enum.map(quoted).join(', ')}`,
    );
  }
  if (typeof value === 'string') errors.push(...textErrors(schema, value, path));
  if (typeof value === 'number') errors.push(...numberErrors(schema, value, path));
  if (Array.isArray(value)) errors.push(...listErrors(schema, value, path));
  if (isRecord(value)) errors.push(...objectErrors(schema, value, path));
  return errors;
}

function hasType(type: string, value: unknown): boolean {
  switch (type) {
    case 'object':
      return isRecord(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return typeof value === 'number' && Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function wrongType(schema: Schema, value: unknown, path: string): readonly string[] {
  const wanted = schema.type ?? (schema.intOrString ? 'integer,string' : undefined);
  if (wanted === undefined) return [];
  const found = typeOf(value);
  return [`${path}: Invalid value: "${found}": ${path} in body must be of type ${wanted}: "${found}"`];
}

function quoted(value: unknown): string {
  return typeof value === 'string' ? goQuote(value) : shown(value);
}

function invalid(path: string, value: string, message: string): string {
  return `${path}: Invalid value: ${value}: ${path} in body ${message}`;
}

function textErrors({ limits, pattern }: Schema, value: string, path: string): string[] {
  const errors: string[] = [];
  const { length } = Array.from(value);
  if (limits.maxLength !== undefined && length > limits.maxLength) {
    errors.push(`${path}: Too long: may not be more than ${limits.maxLength} bytes`);
  }
  if (limits.minLength !== undefined && length < limits.minLength) {
    errors.push(invalid(path, goQuote(value), `should be at least ${limits.minLength} chars long`));
  }
  if (pattern && !pattern.regex.test(value))
    errors.push(invalid(path, goQuote(value), `should match '${pattern.text}'`));
  return errors;
}

function numberErrors({ limits, exclusiveMinimum, exclusiveMaximum }: Schema, value: number, path: string): string[] {
  const errors: string[] = [];
  const { minimum, maximum } = limits;
  if (maximum !== undefined && (exclusiveMaximum ? value >= maximum : value > maximum)) {
    errors.push(invalid(path, shown(value), `should be less than ${exclusiveMaximum ? '' : 'or equal to '}${maximum}`));
  }
  if (minimum !== undefined && (exclusiveMinimum ? value <= minimum : value < minimum)) {
    errors.push(
      invalid(path, shown(value), `should be greater than ${exclusiveMinimum ? '' : 'or equal to '}${minimum}`),
    );
  }
  return errors;
}

function listErrors({ limits, items, uniqueItems }: Schema, value: readonly unknown[], path: string): string[] {
  const errors = items ? value.flatMap((one, at) => schemaErrors(items, one, `${path}[${at}]`)) : [];
  if (limits.maxItems !== undefined && value.length > limits.maxItems) {
    errors.push(`${path}: Too many: ${value.length}: must have at most ${limits.maxItems} items`);
  }
  if (limits.minItems !== undefined && value.length < limits.minItems) {
    errors.push(invalid(path, shown(value.length), `should have at least ${limits.minItems} items`));
  }
  const twice =
    uniqueItems && value.some((one, at) => value.slice(0, at).some((other) => isDeepStrictEqual(one, other)));
  if (twice) errors.push(`${path}: Duplicate value: ${path} in body shouldn't contain duplicates`);
  return errors;
}

function objectErrors(schema: Schema, value: Readonly<Record<string, unknown>>, path: string): string[] {
  const { limits, additional } = schema;
  const errors: string[] = [];
  const at = (name: string) => (path === '' || path === '<nil>' ? name : `${path}.${name}`);
  const count = Object.keys(value).length;
  if (limits.maxProperties !== undefined && count > limits.maxProperties) {
    errors.push(`${path}: Too many: ${count}: must have at most ${limits.maxProperties} items`);
  }
  if (limits.minProperties !== undefined && count < limits.minProperties) {
    errors.push(invalid(path, 'object', `should have at least ${limits.minProperties} properties`));
  }
  for (const name of schema.required) {
    if (!Object.hasOwn(value, name)) errors.push(`${at(name)}: Required value`);
  }
  for (const [name, one] of Object.entries(value)) {
    const property = schema.properties.get(name) ?? (typeof additional === 'object' ? additional : undefined);
    if (property) errors.push(...schemaErrors(property, one, at(name)));
  }
  return errors;
}

/** The fields of a value that its schema does not know, as paths, sorted. */
export function unknownFields(schema: Schema, value: unknown, path = ''): readonly string[] {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items ? value.flatMap((one, at) => unknownFields(items, one, `${path}[${at}]`)) : [];
  }
  if (!isRecord(value)) return [];
  return Object.entries(value)
    .flatMap(([name, one]) => {
      const here = path === '' ? name : `${path}.${name}`;
      const property = schema.properties.get(name) ?? schema.additional;
      if (typeof property === 'object') return unknownFields(property, one, here);
      return property === true || schema.preserve ? [] : [here];
    })
    .sort();
}
