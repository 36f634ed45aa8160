import { z } from 'zod';
import { ConstraintError, parseConstraint } from '../constraint.ts';
import { actionFindings, annotationFindings } from './action-findings.ts';
import { entryFindings } from './entry-findings.ts';
import { type FieldPath, finding, type LintFinding, type LintSeverity } from './finding.ts';
import { kindFindings } from './kind-findings.ts';
import { longListFindings, longSpecFindings } from './long-lists.ts';
import { matchFindings } from './match-findings.ts';
import { type LintSubject, lintSubject } from './subject.ts';

const LONGEST_NAME = 63;
const DNS_SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

/** One constraint with everything that is wrong with it, worst first. */
export interface LintedConstraint {
  readonly kind: string;
  readonly name: string;
  readonly findings: readonly LintFinding[];
}

export interface LintOptions {
  /** Judges entries as Gatekeeper compares them, whatever the annotations say. */
  readonly as?: 'gatekeeper' | undefined;
  /** Entries of one list beyond which they are not looked at one by one. */
  readonly mostEntries?: number | undefined;
}

/** Looks at one object as it was written; undefined when it is no constraint of one of our kinds. Never throws. */
export function lintConstraint(object: unknown, { as, mostEntries }: LintOptions = {}): LintedConstraint | undefined {
  const subject = lintSubject(object);
  if (subject === undefined) return undefined;
  const longSpec = mostEntries === undefined ? [] : longSpecFindings(subject, mostEntries);
  const long = mostEntries === undefined ? [] : longListFindings(subject, mostEntries);
  const isWhole = long.length === 0 && longSpec.length === 0;
  const shape = isWhole ? shapeFindings(object) : [];
  const findings = [
    ...nameFindings(subject),
    ...shape,
    ...annotationFindings(subject),
    ...(longSpec.length === 0
      ? [...actionFindings(subject), ...kindFindings(subject), ...matchFindings(subject)]
      : longSpec),
    // Entries are judged by the engine itself, which has refused this one.
    ...(shape.length === 0 && isWhole ? entryFindings(subject, as) : []),
    ...long,
  ];
  return { kind: subject.kind, name: subject.name, findings: findings.sort(worstFirst) };
}

const SEVERITIES: readonly LintSeverity[] = ['error', 'warning', 'note'];

/** True when a finding is at least this severe. */
export function isAtLeast(severity: LintSeverity, level: LintSeverity): boolean {
  return SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(level);
}

function worstFirst(a: LintFinding, b: LintFinding): number {
  return SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity);
}

function nameFindings({ name }: LintSubject): LintFinding[] {
  const path = ['metadata', 'name'];
  if (name.length > LONGEST_NAME) {
    const message = `the name has ${name.length} characters; Gatekeeper refuses more than ${LONGEST_NAME}`;
    return [finding('name-too-long', path, message, { fix: `shorten it to ${LONGEST_NAME}` })];
  }
  if (DNS_SUBDOMAIN.test(name)) return [];
  const message =
    name === '' ? 'the constraint has no name' : `"${name}" is no name: lower-case letters, digits, "-" and "."`;
  return [
    finding('name-invalid', name === '' ? ['metadata'] : path, message, {
      fix: 'write a name like require-our-registry',
    }),
  ];
}

function shapeFindings(object: unknown): LintFinding[] {
  try {
    parseConstraint(object);
    return [];
  } catch (error) {
    if (!(error instanceof ConstraintError)) throw error;
    const { cause } = error;
    const [issue] = cause instanceof z.ZodError ? cause.issues : [];
    // An issue about parameters alone is counted from there.
    const path = shapePath(
      object,
      (issue?.path ?? []).filter((step) => typeof step !== 'symbol'),
    );
    // A missing name has a finding of its own.
    if (path.join('.') === 'metadata.name') return [];
    const message = `${issue === undefined ? error.message : issue.message}: the constraint cannot be used`;
    return [finding('shape-invalid', path, message, { fix: 'write the type that is expected there' })];
  }
}

const PARAMETERS: FieldPath = ['spec', 'parameters'];

function shapePath(object: unknown, path: FieldPath): FieldPath {
  const [first] = path;
  const whole = first === undefined || (typeof object === 'object' && object !== null && first in object);
  return whole && first !== undefined ? path : [...PARAMETERS, ...path];
}
