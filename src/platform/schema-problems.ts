import { z } from 'zod';
import { sayProblems, unknownName } from './problems.ts';

interface Problem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  /** A field that there is not. */
  readonly unknown?: string;
}

/**
 * What a schema has against a value, for people: each problem with its place, and for unknown fields the name that was probably
 * meant. `place` is what the value as a whole is called; empty: it has no name.
 */
export function schemaProblems(schema: z.ZodType, { issues }: z.ZodError, place = ''): string {
  const problems = issues.flatMap((issue): readonly Problem[] =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ path: issue.path, message: issue.message, unknown: key }))
      : [issue],
  );
  return sayProblems(problems, ({ path, message, unknown }) => {
    const at = placeOf(path) || place;
    const what = unknown === undefined ? message : unknownName(unknown, fieldsAt(schema, path));
    return at === '' ? what : `${at}: ${what}`;
  });
}

/** A path can hold names that somebody sent. */
function placeOf(path: readonly PropertyKey[]): string {
  return path.map((step) => String(step).slice(0, 100)).join('.');
}

/** Names of the fields that a schema has at a place. */
function fieldsAt(schema: z.ZodType, [step, ...rest]: readonly PropertyKey[]): readonly string[] {
  return variantsOf(schema).flatMap((variant) => {
    if (step === undefined) return variant instanceof z.ZodObject ? Object.keys(variant.shape) : [];
    const inner = innerOf(variant, step);
    return inner === undefined ? [] : fieldsAt(inner, rest);
  });
}

function innerOf(schema: z.ZodType, step: PropertyKey): z.ZodType | undefined {
  if (schema instanceof z.ZodObject) return (schema.shape as Readonly<Record<PropertyKey, z.ZodType>>)[step];
  if (schema instanceof z.ZodArray) return schema.element as z.ZodType;
  return schema instanceof z.ZodRecord ? (schema.valueType as z.ZodType) : undefined;
}

/** A schema without what only changes whether a value must be there, each of several by itself. */
function variantsOf(schema: z.ZodType): readonly z.ZodType[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault)
    return variantsOf(schema.unwrap() as z.ZodType);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => variantsOf(option as z.ZodType));
  return schema instanceof z.ZodPipe ? variantsOf(schema.in as z.ZodType) : [schema];
}
