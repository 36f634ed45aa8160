import { z } from 'zod';
import { CodedError } from '../platform/errors.ts';
import { fieldAt } from '../platform/json-object.ts';
import { type EnforcementAction, type EnforcementPoint, readEnforcement, scopedActionSchema } from './enforcement.ts';
import {
  CONSTRAINT_GROUP,
  CONSTRAINT_KINDS,
  type ConstraintKind,
  compileRule,
  isConstraintKind,
  KIND_DEFINITIONS,
  pluralOf,
} from './kinds/kinds.ts';
import type { ImageRule } from './kinds/rule.ts';
import { type CompiledMatch, type ConstraintMatch, compileMatch, matchSchema } from './match.ts';
import { createWords, type Words } from './messages.ts';
import { type ConstraintOptions, DECIDING_ANNOTATIONS, OPTION_ANNOTATIONS, readOptions } from './options.ts';

/** The kind that guard manifests make. */
export const CONSTRAINT_KIND = 'K8sAllowedRepos' satisfies ConstraintKind;
export const CONSTRAINT_PLURAL = pluralOf(CONSTRAINT_KIND);
export const STYLE_ANNOTATION = OPTION_ANNOTATIONS.style;

export class ConstraintError extends CodedError<'constraint_invalid'> {}

/** A constraint of one of our kinds, read and prepared for many questions. */
export interface Constraint {
  readonly kind: ConstraintKind;
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  /** When what decides in it was last written, epoch ms, as the API server noted it; undefined for one that was never stored. */
  readonly since: number | undefined;
  /** As written, `deny` when absent. */
  readonly enforcementAction: string;
  /** The strongest action at a point, or undefined when the constraint is not enforced there. */
  actionAt(point: EnforcementPoint): EnforcementAction | undefined;
  /** All of them, strongest first: a scoped constraint may do several things at one point. */
  actionsAt(point: EnforcementPoint): readonly EnforcementAction[];
  /** Actions listed for `scoped`, as written; empty otherwise. */
  readonly scopedActions: readonly string[];
  readonly options: ConstraintOptions;
  /** As written. */
  readonly match: ConstraintMatch;
  readonly matcher: CompiledMatch;
  /** Undefined when the list it lives from is missing: then it checks nothing. */
  readonly rule: ImageRule | undefined;
  /** True when an image that keeps the rule counts as trusted: then the registry's verdict about it is asked. */
  readonly trusts: boolean;
  readonly words: Words;
  /** What is wrong with it although it is used, for the status. */
  readonly problems: readonly string[];
}

const managedField = z.looseObject({
  time: z.string().nullish(),
  subresource: z.string().nullish(),
  fieldsV1: z.unknown().optional(),
});
const constraintSchema = z.looseObject({
  apiVersion: z.string().nullish(),
  kind: z.string().nullish(),
  metadata: z.looseObject({
    name: z.string().min(1),
    uid: z.string().nullish(),
    generation: z.number().nullish(),
    creationTimestamp: z.string().nullish(),
    managedFields: z.array(managedField).nullish().catch(undefined),
    annotations: z.record(z.string(), z.string()).nullish(),
  }),
  spec: z
    .looseObject({
      enforcementAction: z.string().nullish(),
      scopedEnforcementActions: z.array(scopedActionSchema).nullish(),
      match: matchSchema.nullish(),
      parameters: z.unknown().optional(),
    })
    .nullish(),
});

/**
 * Reads a constraint as the API server gives it; `listedAs` is its kind where a list's items do not say it themselves.
 * Throws `ConstraintError` when its fields have the wrong shape.
 */
export function parseConstraint(object: unknown, listedAs?: ConstraintKind): Constraint {
  try {
    return read(constraintSchema.parse(object), listedAs);
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    const [issue] = error.issues;
    throw new ConstraintError(
      'constraint_invalid',
      `this constraint cannot be used: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
      { cause: error },
    );
  }
}

function read(
  { apiVersion, kind: written, metadata, spec }: z.infer<typeof constraintSchema>,
  listedAs: ConstraintKind | undefined,
): Constraint {
  const kind = written ?? listedAs ?? '';
  if (!isConstraintKind(kind) || !(apiVersion ?? CONSTRAINT_GROUP).startsWith(CONSTRAINT_GROUP)) {
    throw new ConstraintError(
      'constraint_invalid',
      `${apiVersion ?? ''} ${kind} is not a constraint of ours; known are ${CONSTRAINT_KINDS.join(', ')}`,
    );
  }
  const { options, problems: optionProblems } = readOptions(metadata.annotations ?? {});
  const mode = options.compat ? 'compat' : options.matching;
  const rule = compileRule(kind, spec?.parameters, mode);
  const { list, trusts } = KIND_DEFINITIONS[kind];
  const missing =
    rule || list === undefined ? [] : [`spec.parameters.${list} is missing: the constraint checks nothing`];
  // Gatekeeper takes an empty action on apply, as if there were none, and does nothing about it then.
  const enforcementAction = (options.compat ? spec?.enforcementAction : spec?.enforcementAction || undefined) ?? 'deny';
  const scoped = enforcementAction === 'scoped' ? (spec?.scopedEnforcementActions ?? []) : [];
  const enforcement = readEnforcement({ written: enforcementAction, scoped, compat: options.compat });
  const match = spec?.match ?? {};
  const matcher = compileMatch(match);
  return {
    kind,
    name: metadata.name,
    uid: metadata.uid ?? '',
    generation: metadata.generation ?? 0,
    since: changedAt(metadata),
    enforcementAction,
    actionsAt: (point) => enforcement.actionsAt(point),
    actionAt: (point) => enforcement.actionsAt(point)[0],
    scopedActions: [...new Set(scoped.map(({ action }) => action))],
    options,
    match,
    matcher,
    rule,
    trusts,
    words: createWords({ kind, style: options.style, exact: options.compat, list: rule?.list ?? [] }),
    problems: [...optionProblems, ...enforcement.problems, ...matcher.problems, ...missing, ...(rule?.problems ?? [])],
  };
}

/**
 * The last write of what decides, as the API server notes it for every field manager: a label or another annotation is no
 * new rule. A manager's one time covers all its fields, so this is the latest that it can have been.
 */
function changedAt({
  managedFields,
  creationTimestamp,
  generation,
}: z.infer<typeof constraintSchema>['metadata']): number | undefined {
  const writes = (managedFields ?? []).filter(
    ({ subresource, fieldsV1 }) =>
      subresource !== 'status' &&
      // The first generation is the one that was created.
      ((generation !== 1 && fieldAt(fieldsV1, 'f:spec') !== undefined) ||
        DECIDING_ANNOTATIONS.some((one) => fieldAt(fieldsV1, 'f:metadata', 'f:annotations', `f:${one}`) !== undefined)),
  );
  const times = [creationTimestamp, ...writes.map(({ time }) => time)]
    .map((time) => Date.parse(time ?? ''))
    .filter((time) => !Number.isNaN(time));
  return times.length === 0 ? undefined : Math.max(...times);
}
