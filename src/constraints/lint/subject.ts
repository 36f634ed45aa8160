import { fieldAt, isRecord } from '../../platform/json-object.ts';
import { type ConstraintKind, isConstraintKind } from '../kinds/kinds.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** A constraint as it was written, before anybody has decided whether it can be used. */
export interface LintSubject {
  readonly kind: ConstraintKind;
  readonly name: string;
  readonly annotations: Fields;
  readonly spec: Fields;
  /** Undefined when it is missing. */
  readonly match: Fields | undefined;
  readonly parameters: Fields | undefined;
}

/** Takes an object apart for linting; undefined when it is no constraint of ours. */
export function lintSubject(object: unknown): LintSubject | undefined {
  if (!isRecord(object)) return undefined;
  const { apiVersion, kind } = object;
  if (typeof apiVersion !== 'string' || !apiVersion.startsWith('constraints.gatekeeper.sh/')) return undefined;
  if (typeof kind !== 'string' || !isConstraintKind(kind)) return undefined;
  const metadata = fieldsIn(object, 'metadata') ?? {};
  const spec = fieldsIn(object, 'spec') ?? {};
  const { name } = metadata;
  return {
    kind,
    name: typeof name === 'string' ? name : '',
    annotations: fieldsIn(metadata, 'annotations') ?? {},
    spec,
    match: fieldsIn(spec, 'match'),
    parameters: fieldsIn(spec, 'parameters'),
  };
}

export function fieldsIn(fields: Fields, name: string): Fields | undefined {
  const value = fieldAt(fields, name);
  return isRecord(value) ? value : undefined;
}

/** The strings of a list, with their positions kept; undefined when there is no list. */
export function textsIn(fields: Fields | undefined, name: string): readonly string[] | undefined {
  const value = fieldAt(fields, name);
  return Array.isArray(value) ? value.map((one) => (typeof one === 'string' ? one : '')) : undefined;
}
