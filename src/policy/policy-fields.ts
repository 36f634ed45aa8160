import { canonicalJson } from '../oci/canonical.ts';
import type { Policy } from './policy.ts';
import { FIELD_ORDERS } from './policy-order.ts';

/** Paths of all fields, `block.fixable`, in the order of the document. */
export const FIELD_PATHS: readonly string[] = Object.keys(FIELD_ORDERS);

/** The value at a path of a document; undefined where it has none. */
export function fieldOf(document: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (inner, name) => (isFields(inner) && Object.hasOwn(inner, name) ? inner[name] : undefined),
      document,
    );
}

/** The fields a document has, by path; what is no field is left out. */
export function fieldsOf(document: unknown): Map<string, unknown> {
  return new Map(
    FIELD_PATHS.flatMap((path) => {
      const value = fieldOf(document, path);
      return value === undefined ? [] : [[path, value] as const];
    }),
  );
}

/** A document of these fields. */
export function documentOf(fields: Iterable<readonly [path: string, value: unknown]>): Record<string, unknown> {
  const document: Record<string, unknown> = {};
  for (const [path, value] of fields) {
    const names = path.split('.');
    const last = names.pop() ?? path;
    let inner = document;
    for (const name of names) {
      const next = isFields(inner[name]) ? inner[name] : {};
      inner[name] = next;
      inner = next;
    }
    inner[last] = value;
  }
  return document;
}

/** True when every field of `a` is as strict as that of `b` or stricter. */
export function isAtLeastAsStrict(a: Policy, b: Policy): boolean {
  return FIELD_PATHS.every((path) => FIELD_ORDERS[path]?.atLeast(fieldOf(a, path), fieldOf(b, path)));
}

/** What is different between two documents, field by field; null where one does not say. */
export interface FieldChange {
  readonly field: string;
  readonly before: unknown;
  readonly after: unknown;
}

export function changedFields(before: unknown, after: unknown): FieldChange[] {
  return FIELD_PATHS.flatMap((field) => {
    const [was, is] = [fieldOf(before, field) ?? null, fieldOf(after, field) ?? null];
    return canonicalJson(was) === canonicalJson(is) ? [] : [{ field, before: was, after: is }];
  });
}

/** What is different between two documents, what they lock among it. */
export function changesBetween(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): FieldChange[] {
  const [was, is] = [before['locked'] ?? null, after['locked'] ?? null];
  return [
    ...changedFields(before, after),
    ...(canonicalJson(was) === canonicalJson(is) ? [] : [{ field: 'locked', before: was, after: is }]),
  ];
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
