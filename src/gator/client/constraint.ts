import { goQuote } from '../../constraints/go-quote.ts';
import { CONSTRAINT_GROUP } from '../../constraints/kinds/kinds.ts';
import { fieldAt, isRecord, textAt } from '../../platform/json-object.ts';
import { GatorError, SAYS } from '../errors.ts';
import { constraintSchema } from '../library/constraint-schema.ts';
import { withDefaults } from '../library/schema.ts';
import type { Template } from '../library/template.ts';
import { schemaErrors, unknownFields } from '../library/validate.ts';
import { gvkOf, nameOf, type Unstructured } from '../object.ts';
import { isSubdomain, selectorErrors } from './selectors.ts';

/** A constraint that fits its template. */
export interface LoadedConstraint {
  /** With the defaults of its schema filled in, as results carry it. */
  readonly object: Unstructured;
  readonly template: Template;
  readonly name: string;
  readonly match: unknown;
  readonly parameters: unknown;
  /** As written, `deny` when absent. */
  readonly action: string;
  /** The actions at gator's enforcement point, sorted; undefined unless the action is `scoped`. */
  readonly scopedActions: readonly string[] | undefined;
}

const VERSIONS = ['v1alpha1', 'v1beta1'];
const GATOR_POINT = 'gator.gatekeeper.sh';

export function isConstraint(object: unknown): boolean {
  return gvkOf(object).group === CONSTRAINT_GROUP;
}

/**
 * Holds a constraint against its template, as Gatekeeper does when one is added. Throws `GatorError`:
 * `constraint_schema` when the schema says no, `constraint_invalid` for everything else.
 */
export function loadConstraint(templates: ReadonlyMap<string, Template>, object: Unstructured): LoadedConstraint {
  const name = nameOf(object);
  const { kind, group, version } = gvkOf(object);
  if (name === '') throw refused('missing metadata.name');
  if (kind === '') throw refused('missing kind');
  if (group !== CONSTRAINT_GROUP) {
    throw refused(
      `wrong API Group for Constraint ${goQuote(name)}, got ${goQuote(group)} but need ${goQuote(CONSTRAINT_GROUP)}`,
    );
  }
  const template = templates.get(kind.toLowerCase());
  if (template === undefined) {
    throw new GatorError(
      'constraint_invalid',
      `${SAYS.missingTemplate}: template ${goQuote(kind.toLowerCase())} not found`,
    );
  }
  expectSelectors(object);
  if (!isSubdomain(name)) throw refused(`invalid name: ${goQuote(NOT_A_SUBDOMAIN)}`);
  if (kind !== template.kind) {
    throw refused(`wrong kind ${goQuote(kind)} for constraint ${goQuote(name)}; want ${goQuote(template.kind)}`);
  }
  if (!VERSIONS.includes(version)) {
    throw refused(
      `unsupported version ${goQuote(version)} for Constraint ${goQuote(name)}; supported versions: map[v1alpha1:true v1beta1:true]`,
    );
  }
  const schema = constraintSchema(template.parameters);
  const errors = schemaErrors(schema, object, '');
  if (errors.length > 0) {
    throw new GatorError('constraint_schema', `${SAYS.schema}: ${aggregate(errors)}`);
  }
  const unknown = unknownFields(schema, object);
  if (unknown.length > 0) throw refused(`unknown fields: [${unknown.join(' ')}]`);
  const filled = withDefaults(schema, object);
  const complete = isRecord(filled) ? filled : object;
  const action = textAt(complete, 'spec', 'enforcementAction');
  const written = fieldAt(complete, 'spec', 'enforcementAction');
  return {
    object: complete,
    template,
    name,
    match: fieldAt(complete, 'spec', 'match'),
    parameters: fieldAt(complete, 'spec', 'parameters') ?? {},
    action: written === undefined ? 'deny' : action,
    scopedActions: action === 'scoped' ? actionsAtGator(complete) : undefined,
  };
}

const NOT_A_SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

function refused(message: string): GatorError {
  return new GatorError('constraint_invalid', `${SAYS.invalidConstraint}: ${message}`);
}

/** Several errors stand in brackets, one does not. */
function aggregate(errors: readonly string[]): string {
  const each = [...new Set(errors)];
  return each.length === 1 ? (each[0] ?? '') : `[${each.join(', ')}]`;
}

function expectSelectors(object: Unstructured): void {
  for (const field of ['labelSelector', 'namespaceSelector']) {
    const selector = mapAt(object, 'spec', 'match', field);
    const errors = selector === undefined ? [] : selectorErrors(selector, 'spec.labelSelector');
    if (errors.length > 0) throw refused(aggregate(errors));
  }
}

/** A nested object; what stands in its way or its place and is none is an error before the schema is asked. */
function mapAt(object: unknown, ...path: readonly string[]): unknown {
  let value = object;
  for (const [at, step] of path.entries()) {
    if (value === null) return undefined;
    if (!isRecord(value)) throw refused(`.${path.slice(0, at + 1).join('.')} accessor error: not an object`);
    if (!Object.hasOwn(value, step)) return undefined;
    value = value[step];
  }
  if (!isRecord(value)) throw refused(`.${path.join('.')} accessor error: not an object`);
  return value;
}

function actionsAtGator(object: Unstructured): readonly string[] {
  const scoped = fieldAt(object, 'spec', 'scopedEnforcementActions');
  if (!Array.isArray(scoped)) {
    throw new GatorError('constraint_invalid', 'missing required field: spec.scopedEnforcementActions must be defined');
  }
  const actions = new Set<string>();
  for (const one of scoped) {
    const points = fieldAt(one, 'enforcementPoints');
    const names = Array.isArray(points) ? points.map((point) => textAt(point, 'name')) : [];
    if (names.includes('*') || names.includes(GATOR_POINT)) actions.add(textAt(one, 'action'));
  }
  return [...actions].sort();
}
