import { canonicalJson } from '../oci/canonical.ts';
import { fieldAt, isRecord, jsonOf } from '../platform/json-object.ts';
import { type Constraint, ConstraintError, parseConstraint } from './constraint.ts';
import type { ConstraintKind } from './kinds/kinds.ts';
import { DECIDING_ANNOTATIONS } from './options.ts';

/** The part of a constraint that decides which images it denies, as a text that is equal while that is. */
export function decidingContent(object: unknown): string {
  const annotations = fieldAt(object, 'metadata', 'annotations');
  const deciding = Object.entries(isRecord(annotations) ? annotations : {}).filter(([key]) =>
    DECIDING_ANNOTATIONS.some((one) => one === key),
  );
  return canonicalJson({ annotations: Object.fromEntries(deciding), spec: fieldAt(object, 'spec') ?? null });
}

/** The constraint that had this content; undefined when none could be made of it. */
export function constraintOfContent(kind: ConstraintKind, name: string, content: string): Constraint | undefined {
  const value = jsonOf(content);
  try {
    return parseConstraint(
      { metadata: { name, annotations: fieldAt(value, 'annotations') }, spec: fieldAt(value, 'spec') },
      kind,
    );
  } catch (error) {
    if (error instanceof ConstraintError) return undefined;
    throw error;
  }
}
