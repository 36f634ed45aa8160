import { isRecord } from '../../platform/json-object.ts';
import { ENFORCEMENT_ACTIONS, ENFORCEMENT_POINTS } from '../enforcement.ts';
import { KIND_DEFINITIONS } from '../kinds/kinds.ts';
import { OPTION_ANNOTATIONS, readOptions } from '../options.ts';
import { type FieldPath, finding, type LintFinding, nearest } from './finding.ts';
import { unknownFields } from './match-findings.ts';
import { type LintSubject } from './subject.ts';

const POINTS: readonly string[] = [...ENFORCEMENT_POINTS, '*'];
const SPEC_FIELDS = ['enforcementAction', 'scopedEnforcementActions', 'match', 'parameters'];

const KNOWN_ANNOTATIONS: readonly string[] = Object.values(OPTION_ANNOTATIONS);

/** What is wrong with what a constraint does, and where: actions, enforcement points, fields of `spec`. */
export function actionFindings({ kind, spec, parameters }: LintSubject): LintFinding[] {
  const known = KIND_DEFINITIONS[kind].parameters;
  return [
    ...unknownFields(spec, SPEC_FIELDS, ['spec']),
    ...(parameters === undefined ? [] : unknownFields(parameters, known, ['spec', 'parameters'])),
    ...enforcementFindings(spec),
  ];
}

function enforcementFindings(spec: LintSubject['spec']): LintFinding[] {
  const { enforcementAction, scopedEnforcementActions } = spec;
  const scoped = Array.isArray(scopedEnforcementActions) ? scopedEnforcementActions : [];
  const path = ['spec', 'scopedEnforcementActions'];
  if (enforcementAction !== 'scoped') {
    const unknown =
      enforcementAction === undefined || enforcementAction === ''
        ? []
        : unknownAction(enforcementAction, ['spec', 'enforcementAction']);
    if (scoped.length === 0) return unknown;
    const message = 'scopedEnforcementActions is not read: enforcementAction is not "scoped"';
    return [...unknown, finding('scoped-ignored', path, message, { fix: 'write enforcementAction: scoped' })];
  }
  const found: LintFinding[] = [];
  const points = new Set<string>();
  for (const [at, entry] of scoped.entries()) {
    if (!isRecord(entry)) continue;
    const { action, enforcementPoints } = entry;
    found.push(...unknownAction(action, [...path, at, 'action']));
    for (const [index, point] of (Array.isArray(enforcementPoints) ? enforcementPoints : []).entries()) {
      const name = isRecord(point) ? point['name'] : undefined;
      if (typeof name !== 'string' || !POINTS.includes(name)) {
        const meant = typeof name === 'string' ? nearest(name, POINTS) : undefined;
        const message = `enforcement point ${JSON.stringify(name)} is not known: nothing is done there`;
        const fix = meant === undefined ? `known are ${POINTS.join(', ')}` : `write "${meant}"`;
        found.push(finding('point-unknown', [...path, at, 'enforcementPoints', index, 'name'], message, { fix }));
      } else points.add(name);
    }
  }
  if (points.size === 0) {
    const message = 'scoped without an enforcement point: the constraint is enforced nowhere';
    const fix = 'add an action with enforcementPoints, like [{name: "*"}]';
    return [
      finding('scoped-empty', scoped.length === 0 ? ['spec', 'enforcementAction'] : path, message, { fix }),
      ...found,
    ];
  }
  for (const [point, what] of [
    ['validation.gatekeeper.sh', 'not enforced at admission'],
    ['audit.gatekeeper.sh', 'not audited'],
  ] as const) {
    if (points.has(point) || points.has('*')) continue;
    found.push(
      finding('point-missing', path, `the constraint is ${what}`, { fix: `add the enforcement point ${point}` }),
    );
  }
  return found;
}

function unknownAction(action: unknown, path: FieldPath): LintFinding[] {
  if (ENFORCEMENT_ACTIONS.some((one) => one === action)) return [];
  const meant = typeof action === 'string' ? nearest(action, ENFORCEMENT_ACTIONS) : undefined;
  return [
    finding('action-unknown', path, `enforcement action ${JSON.stringify(action)} is not known`, {
      fix: `write ${meant === undefined ? ENFORCEMENT_ACTIONS.join(', ') : `"${meant}"`}`,
    }),
  ];
}

/** Annotations of ours that are not known, or whose value is not. */
export function annotationFindings({ annotations }: LintSubject): LintFinding[] {
  const path = ['metadata', 'annotations'];
  const found: LintFinding[] = [];
  for (const key of Object.keys(annotations)) {
    if (KNOWN_ANNOTATIONS.includes(key) || !/^break-?waters?[/.]/i.test(key)) continue;
    const meant = nearest(key, KNOWN_ANNOTATIONS);
    const fix = meant === undefined ? `known are ${KNOWN_ANNOTATIONS.join(', ')}` : `write "${meant}"`;
    found.push(finding('annotation-unknown', [...path, key], `nobody reads the annotation "${key}"`, { fix }));
  }
  for (const key of KNOWN_ANNOTATIONS) {
    if (!Object.hasOwn(annotations, key)) continue;
    const value = annotations[key];
    const problems =
      typeof value === 'string' ? readOptions({ [key]: value }).problems : [`annotation ${key} is no text`];
    for (const problem of problems) {
      const [message = problem, fix] = problem.split('; ');
      found.push(finding('annotation-unknown', [...path, key], message, { fix: fix ?? 'write a text' }));
    }
  }
  return found;
}
