import { z } from 'zod';
import { CodedError } from '../platform/errors.ts';
import { compileEntries, type MatchingMode, type TrustMatcher } from '../trust/match/matcher.ts';
import { type ConstraintMatch, matchSchema } from './match.ts';

export class ConstraintError extends CodedError<'constraint_invalid'> {}

export const CONSTRAINT_GROUP = 'constraints.gatekeeper.sh';
export const CONSTRAINT_KIND = 'K8sAllowedRepos';
export const CONSTRAINT_PLURAL = 'k8sallowedrepos';
export const STYLE_ANNOTATION = 'breakwater/message-style';
const MATCHING_ANNOTATION = 'breakwater/matching';

const MESSAGE_STYLES = ['welkin-docs', 'gatekeeper', 'welkin-current'] as const;
export type MessageStyle = (typeof MESSAGE_STYLES)[number];

/** What a violated constraint does. */
export type EnforcementAction = 'deny' | 'warn' | 'dryrun';
export type EnforcementPoint = 'validation.gatekeeper.sh' | 'audit.gatekeeper.sh';

/** A `K8sAllowedRepos` constraint, read and prepared for many questions. */
export interface Constraint {
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  /** As written, `deny` when absent. */
  readonly enforcementAction: string;
  /** The strongest action at a point, or undefined when the constraint is not enforced there. */
  actionAt(point: EnforcementPoint): EnforcementAction | undefined;
  /** Actions listed in status for `scoped`; empty otherwise. */
  readonly scopedActions: readonly string[];
  readonly style: MessageStyle;
  readonly match: ConstraintMatch;
  /** Undefined when the constraint has no list: then it checks nothing, as in Gatekeeper. */
  readonly repos: readonly string[] | undefined;
  readonly trusted: TrustMatcher;
  /** What is wrong with it although it is used, for the status. */
  readonly problems: readonly string[];
}

const scopedSchema = z.looseObject({
  action: z.string(),
  enforcementPoints: z.array(z.looseObject({ name: z.string() })).optional(),
});

const constraintSchema = z.looseObject({
  metadata: z.looseObject({
    name: z.string().min(1),
    uid: z.string().optional(),
    generation: z.number().optional(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
  spec: z
    .looseObject({
      enforcementAction: z.string().optional(),
      scopedEnforcementActions: z.array(scopedSchema).optional(),
      match: matchSchema.optional(),
      parameters: z.looseObject({ repos: z.array(z.string()).optional() }).optional(),
    })
    .optional(),
});

const STRENGTH: readonly EnforcementAction[] = ['deny', 'warn', 'dryrun'];

/** Reads a constraint as the API server gives it. Throws `ConstraintError` when its fields have the wrong shape. */
export function parseConstraint(object: unknown): Constraint {
  const parsed = constraintSchema.safeParse(object);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ConstraintError(
      'constraint_invalid',
      `this ${CONSTRAINT_KIND} cannot be used: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
    );
  }
  const { metadata, spec = {} } = parsed.data;
  const annotations = metadata.annotations ?? {};
  const problems: string[] = [];
  const repos = spec.parameters?.repos;
  if (repos === undefined) problems.push('spec.parameters.repos is missing: the constraint checks nothing');
  const trusted = compileEntries(
    repos ?? [],
    choice(annotations, MATCHING_ANNOTATION, ['reference', 'prefix'], problems),
  );
  const written = spec.enforcementAction ?? 'deny';
  const scoped = written === 'scoped' ? (spec.scopedEnforcementActions ?? []) : [];
  return {
    name: metadata.name,
    uid: metadata.uid ?? '',
    generation: metadata.generation ?? 0,
    enforcementAction: written,
    actionAt: actions(written, scoped, problems),
    scopedActions: [...new Set(scoped.map(({ action }) => action))],
    style: choice(annotations, STYLE_ANNOTATION, MESSAGE_STYLES, problems),
    match: spec.match ?? {},
    repos,
    trusted,
    problems: [...problems, ...trusted.problems],
  };
}

/** An unknown action warns instead of being skipped: nobody should think to be protected and be silently not. */
function actions(
  written: string,
  scoped: readonly z.infer<typeof scopedSchema>[],
  problems: string[],
): (point: EnforcementPoint) => EnforcementAction | undefined {
  if (written !== 'scoped') {
    const action = asAction(written, problems);
    return () => action;
  }
  const entries = scoped.map(({ action, enforcementPoints = [] }) => ({
    action: asAction(action, problems),
    points: new Set(enforcementPoints.map(({ name }) => name)),
  }));
  return (point) =>
    STRENGTH.find((action) =>
      entries.some((one) => one.action === action && (one.points.has(point) || one.points.has('*'))),
    );
}

function asAction(text: string, problems: string[]): EnforcementAction {
  const known = STRENGTH.find((action) => action === text);
  if (known === undefined) problems.push(`enforcement action "${text}" is not known: it warns`);
  return known ?? 'warn';
}

function choice<Value extends MessageStyle | MatchingMode>(
  annotations: Readonly<Record<string, string>>,
  key: string,
  values: readonly [Value, ...Value[]],
  problems: string[],
): Value {
  const text = Object.hasOwn(annotations, key) ? annotations[key] : undefined;
  const known = values.find((value) => value === text);
  if (text !== undefined && known === undefined) {
    problems.push(`annotation ${key}: "${text}" is not known; use ${values.join(' or ')}`);
  }
  return known ?? values[0];
}
