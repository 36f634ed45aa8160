import { z } from 'zod';
import { CodedError } from '../../platform/errors.ts';
import type { Constraint } from '../constraint.ts';
import type { EnforcementAction } from '../enforcement.ts';
import type { Expansion } from '../expansion.ts';
import { pluralOf } from '../kinds/kinds.ts';
import { linePrefix } from '../messages.ts';
import type { CelVariable } from './cel.ts';
import { imageVariables, REFERENCE_VARIABLES } from './image-variables.ts';
import { type PolicyMatchInput, policyMatch } from './match-expressions.ts';
import { ruleExpressions } from './rule-expressions.ts';
import { LONGEST_MESSAGE, lineExpression, messageExpression } from './words.ts';

/** `export_impossible`: nothing of the constraint can be said as a policy. */
export class PolicyExportError extends CodedError<'export_impossible'> {}

export interface PolicyExportInput {
  readonly constraint: Constraint;
  /** `spec.parameters`, as written. */
  readonly parameters: unknown;
  /** Namespace patterns of Gatekeeper's `Config`. */
  readonly exemptNamespaces?: readonly string[];
  readonly expansions?: readonly Expansion[];
  /** What happens when an expression cannot be computed, for instance for a pod of a thousand containers. */
  readonly failurePolicy?: 'Fail' | 'Ignore';
}

export interface PolicyExport {
  /** ValidatingAdmissionPolicies, each followed by its binding. */
  readonly objects: readonly object[];
  /** What the guard does for this constraint and a policy cannot, each as one sentence that begins with its name. */
  readonly unsayable: readonly string[];
}

const GROUP = 'admissionregistration.k8s.io/v1';
const ACTIONS: Readonly<Record<EnforcementAction, string>> = { deny: 'Deny', warn: 'Warn', dryrun: 'Audit' };
/** A request to the API server has at most 3 MiB, an object in etcd 1.5 MB. */
const LARGEST_POLICY = 1_000_000;

const parametersSchema = z
  .looseObject({ exemptImages: z.array(z.string()).nullish() })
  .nullish()
  .catch(undefined);

/**
 * A constraint as `ValidatingAdmissionPolicy`: the API server then decides by itself, in the same words. Throws
 * `PolicyExportError` when there is nothing to say: no list, no enforcement at `vap.k8s.io`, no kind it covers.
 */
export function exportPolicies(input: PolicyExportInput): PolicyExport {
  const { constraint, exemptNamespaces = [], failurePolicy = 'Fail' } = input;
  const actions = constraint.actionsAt('vap.k8s.io');
  const [action] = actions;
  if (constraint.rule === undefined) throw impossible(constraint, 'it has no list and checks nothing');
  if (action === undefined) {
    throw impossible(constraint, 'it is not enforced at vap.k8s.io; list that point in scopedEnforcementActions');
  }
  const splits = action === 'deny' && constraint.options.updates === 'new-images';
  const common = { constraint, exemptNamespaces };
  const name = `${pluralOf(constraint.kind)}-${constraint.name}`;
  const variables = policyVariables(input);
  const main = policy(name, variables, failurePolicy, {
    match: { ...common, operations: ['CREATE', 'UPDATE'], denies: action === 'deny' },
    list: splits ? 'variables.fresh' : 'variables.lines',
  });
  const recorded = actions.includes('dryrun') && action !== 'dryrun' ? ['Audit'] : [];
  const objects = [main, binding(name, [ACTIONS[action], ...recorded])];
  if (splits) {
    const second = `${name}-updates`;
    const match = { ...common, operations: ['UPDATE'] as const, denies: false };
    objects.push(
      policy(second, variables, failurePolicy, { match, list: 'variables.stale' }),
      binding(second, ['Warn', ...recorded]),
    );
  }
  const largest = Math.max(...objects.map((object) => JSON.stringify(object).length));
  if (largest > LARGEST_POLICY) {
    throw impossible(constraint, `its list makes a policy of ${largest} bytes; the API server takes ${LARGEST_POLICY}`);
  }
  return { objects, unsayable: unsayable(input, actions) };
}

function policyVariables({ constraint, parameters }: PolicyExportInput): CelVariable[] {
  const { exemptImages } = parametersSchema.parse(parameters) ?? {};
  const rule = ruleExpressions(constraint, { list: constraint.rule?.list ?? [], exemptImages: exemptImages ?? [] });
  const line = lineExpression(constraint, rule);
  const every = `variables.${rule.over}.map(i, {"image": i.image, "line": ${line}}).filter(j, j.line != "")`;
  return [
    ...imageVariables(!constraint.options.compat),
    ...(rule.over === 'images' ? [] : REFERENCE_VARIABLES),
    ...rule.variables,
    { name: 'lines', expression: every },
    { name: 'fresh', expression: 'variables.lines.filter(j, !(j.image in variables.before))' },
    { name: 'stale', expression: 'variables.lines.filter(j, j.image in variables.before)' },
  ];
}

function policy(
  name: string,
  variables: readonly CelVariable[],
  failurePolicy: string,
  { match, list }: { match: PolicyMatchInput; list: string },
): object {
  const matched = policyMatch(match);
  const { constraint, denies } = match;
  if (matched === undefined) throw impossible(constraint, 'it covers no built-in kind that carries images');
  const { resourceRules, namespaceSelector, matchConditions } = matched;
  return {
    apiVersion: GROUP,
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name, labels: { 'app.kubernetes.io/managed-by': 'breakwater' } },
    spec: {
      failurePolicy,
      matchConstraints: { matchPolicy: 'Equivalent', namespaceSelector, resourceRules },
      ...(matchConditions.length === 0 ? {} : { matchConditions }),
      variables,
      validations: [
        {
          expression: `size(${list}) == 0`,
          messageExpression: messageExpression(constraint, list, denies),
          // Only when the sentence itself cannot be made.
          message: `${linePrefix(constraint.options.style, constraint.name, denies)}an image breaks this constraint`,
          reason: 'Forbidden',
        },
      ],
    },
  };
}

function binding(name: string, validationActions: readonly string[]): object {
  return {
    apiVersion: GROUP,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name, labels: { 'app.kubernetes.io/managed-by': 'breakwater' } },
    spec: { policyName: name, validationActions },
  };
}

function unsayable(input: PolicyExportInput, actions: readonly EnforcementAction[]): string[] {
  const { constraint, expansions = [] } = input;
  const { options } = constraint;
  const found = constraint.matcher.problems.map((problem) => `match: ${problem}`);
  const longest = constraint.words.breach('repo', { place: 'container', name: '', image: '' }).length;
  if (longest > LONGEST_MESSAGE - 1024) {
    found.push(
      `message: one sentence has ${longest} characters with its list; a policy's message has ${LONGEST_MESSAGE} bytes`,
    );
  }
  if (expansions.length > 0) {
    const names = expansions.map(({ name }) => name).join(', ');
    found.push(`expansion templates: what ${names} make of other objects is not seen, but the pods themselves are`);
  }
  if (options.compat && actions.includes('deny') && actions.includes('warn')) {
    found.push('deny and warn: a policy cannot say the same twice, it only denies');
  }
  if (options.compat) return found;
  if (constraint.trusts) {
    found.push('verdicts: a trusted image that the registry blocks, or whose verdict is unknown, is let in');
    found.push('mirror hints: no line says where a copy of the image is served');
  }
  if (actions.includes('deny')) {
    if (options.restartGrace !== 'none') {
      found.push('restart grace: a pod that ran before the rule is denied when it is started again');
    }
    found.push('break-glass: the annotation opens nothing');
    found.push('records: what was denied or passed is not recorded, nor mirror pods of nodes warned about');
  }
  return found;
}

function impossible({ kind, name }: Constraint, why: string): PolicyExportError {
  return new PolicyExportError('export_impossible', `${kind} ${name} cannot be exported: ${why}`);
}
