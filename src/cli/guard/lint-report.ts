import type { Log, Result } from 'sarif';
import type { Position } from '../../constraints/lint/documents.ts';
import {
  type FieldPath,
  LINT_RULES,
  type LintFinding,
  type LintRule,
  type LintSeverity,
  pathText,
} from '../../constraints/lint/finding.ts';
import { canonicalHash } from '../../oci/canonical.ts';
import { counted } from '../../platform/counted.ts';
import { oneLine } from '../../platform/one-line.ts';
import { sarifLogOf } from '../sarif-log.ts';

/** A finding with what it is about and where that stands. */
export interface PlacedFinding extends LintFinding {
  readonly constraint: { readonly kind: string; readonly name: string };
  readonly file?: string;
  readonly position?: Position;
}

/** What one run has looked at and found. */
export interface LintReport {
  readonly constraints: number;
  readonly findings: readonly PlacedFinding[];
}

/** Text for people: one line a finding with `file:line:column`, its witness and its fix below. */
export function lintText({ constraints, findings }: LintReport): string {
  const lines = findings.map((one) => {
    const { severity, rule, message, fix, witness } = one;
    const more = [
      ...(witness === undefined ? [] : [`    witness: ${oneLine(witness)}`]),
      ...(fix === undefined ? [] : [`    fix: ${oneLine(fix)}`]),
    ];
    return [`${placeText(one)}: ${severity}: ${oneLine(message)} [${rule}]`, ...more].join('\n');
  });
  const counts = (['error', 'warning', 'note'] as const)
    .map((severity) => ({ severity, count: findings.filter((one) => one.severity === severity).length }))
    .filter(({ count }) => count > 0)
    .map(({ severity, count }) => counted(count, severity));
  const found = counts.length === 0 ? 'nothing found' : counts.join(', ');
  return [...lines, `${counted(constraints, 'constraint')}: ${found}`].join('\n');
}

/** Everything as a value for scripts. */
export function lintJson({ constraints, findings }: LintReport): object {
  return {
    constraints,
    findings: findings.map(({ path, constraint, position, ...rest }) => ({
      ...rest,
      kind: constraint.kind,
      name: constraint.name,
      field: pathText(path),
      ...position,
    })),
  };
}

const LEVELS: Readonly<Record<LintSeverity, Result.level>> = { error: 'error', warning: 'warning', note: 'note' };

/** SARIF 2.1.0: a rule for each kind of finding, a result for each finding. */
export function lintSarif({ findings }: LintReport): Log {
  const used = [...new Set(findings.map(({ rule }) => rule))];
  const rules = used.map((rule) => ({
    id: rule,
    shortDescription: { text: LINT_RULES[rule].title },
    defaultConfiguration: { level: LEVELS[LINT_RULES[rule].severity] },
  }));
  return sarifLogOf(rules, {
    automationDetails: { id: 'breakwater/guard-lint/' },
    columnKind: 'utf16CodeUnits',
    results: findings.map((one) => resultOf(one, used)),
  });
}

function resultOf(one: PlacedFinding, used: readonly LintRule[]): Result {
  const { rule, severity, message, fix, witness, constraint, file, position, path } = one;
  const more = `${witness === undefined ? '' : ` Witness: ${witness}.`}${fix === undefined ? '' : ` Fix: ${fix}.`}`;
  return {
    ruleId: rule,
    ruleIndex: used.indexOf(rule),
    level: LEVELS[severity],
    message: { text: oneLine(`${message}.${more}`) },
    locations: [
      {
        ...(file === undefined
          ? {}
          : {
              physicalLocation: {
                artifactLocation: { uri: encodeURI(file) },
                ...(position ? { region: { startLine: position.line, startColumn: position.column } } : {}),
              },
            }),
        logicalLocations: [
          { fullyQualifiedName: `${constraint.kind}/${constraint.name}/${pathText(path)}`, kind: 'object' },
        ],
      },
    ],
    partialFingerprints: { 'constraintFinding/v1': fingerprint(rule, constraint, path) },
    ...(witness === undefined ? {} : { properties: { witness } }),
  };
}

function fingerprint(rule: string, constraint: PlacedFinding['constraint'], path: FieldPath): string {
  return canonicalHash([rule, constraint.kind, constraint.name, pathText(path)]).slice('sha256:'.length);
}

function placeText({ file, position, constraint, path }: PlacedFinding): string {
  const what = `${constraint.kind}/${constraint.name} ${pathText(path)}`;
  return file === undefined ? what : `${file}:${position ? `${position.line}:${position.column}` : ''}: ${what}`;
}
