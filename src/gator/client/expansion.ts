import { fieldAt, isRecord, textAt } from '../../platform/json-object.ts';
import { GatorError } from '../errors.ts';
import { type GroupVersionKind, gvkOf, gvkText, nameOf, namespaceOf, type Unstructured } from '../object.ts';

/** An ExpansionTemplate: which objects make others, and where in them those are written. */
export interface ExpansionTemplate {
  readonly name: string;
  readonly appliesTo: readonly {
    readonly groups: readonly string[];
    readonly versions: readonly string[];
    readonly kinds: readonly string[];
  }[];
  readonly source: string;
  readonly generated: GroupVersionKind;
  /** Replaces the constraint's action for what was generated; empty leaves it. */
  readonly action: string;
  /** The object it was read from. */
  readonly written: Unstructured;
}

export interface Generated {
  readonly object: Unstructured;
  readonly template: string;
  readonly action: string;
}

const GROUP = 'expansion.gatekeeper.sh';
const DEEPEST = 30;

export function isExpansion(object: unknown): boolean {
  const { group, kind } = gvkOf(object);
  return group === GROUP && kind === 'ExpansionTemplate';
}

function bad(message: string): GatorError {
  return new GatorError('expansion_invalid', message);
}

/** Reads one ExpansionTemplate. Throws `GatorError('expansion_invalid')` where Gatekeeper refuses it. */
function readExpansion(object: Unstructured): ExpansionTemplate {
  const name = nameOf(object);
  const upserting = `error upserting template ${name}`;
  if (name === '') throw bad(`${upserting}: ExpansionTemplate has empty name field`);
  if (Buffer.byteLength(name) >= 64) {
    throw bad(`${upserting}: ExpansionTemplate name must be less than 64 characters`);
  }
  const spec = fieldAt(object, 'spec');
  const source = textAt(spec, 'templateSource');
  if (source === '') throw bad(`${upserting}: ExpansionTemplate ${name} has empty source field`);
  const gvk = fieldAt(spec, 'generatedGVK');
  const generated = { group: textAt(gvk, 'group'), version: textAt(gvk, 'version'), kind: textAt(gvk, 'kind') };
  if (generated.group === '' && generated.version === '' && generated.kind === '') {
    throw bad(`${upserting}: ExpansionTemplate ${name} has empty generatedGVK field`);
  }
  const applyTo = fieldAt(spec, 'applyTo');
  const appliesTo = (Array.isArray(applyTo) ? applyTo : []).map((one) => ({
    groups: textsAt(one, 'groups'),
    versions: textsAt(one, 'versions'),
    kinds: textsAt(one, 'kinds'),
  }));
  if (appliesTo.length === 0) throw bad(`${upserting}: ExpansionTemplate ${name} must specify ApplyTo`);
  const template = { name, appliesTo, source, generated, action: textAt(spec, 'enforcementAction'), written: object };
  if (applies(template, generated)) {
    throw bad(
      `${upserting}: ExpansionTemplate ${name} generates GVK ${gvkText(generated)}, but also applies to that same GVK`,
    );
  }
  return template;
}

function textsAt(object: unknown, field: string): readonly string[] {
  const value = fieldAt(object, field);
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}

function applies({ appliesTo }: ExpansionTemplate, { group, version, kind }: GroupVersionKind): boolean {
  return appliesTo.some(
    (one) => one.groups.includes(group) && one.versions.includes(version) && one.kinds.includes(kind),
  );
}

/** Reads the ExpansionTemplates among some objects; a later one replaces an earlier one of its name. Refuses circles. */
export function readExpansions(objects: readonly Unstructured[]): readonly ExpansionTemplate[] {
  const templates = new Map<string, ExpansionTemplate>();
  for (const object of objects) {
    if (!isExpansion(object)) continue;
    const template = readExpansion(object);
    templates.delete(template.name);
    templates.set(template.name, template);
    if (reaches([...templates.values()], template, template, new Set())) {
      throw bad(`error upserting template ${template.name}: template forms expansion cycle`);
    }
  }
  return [...templates.values()];
}

function reaches(
  all: readonly ExpansionTemplate[],
  from: ExpansionTemplate,
  goal: ExpansionTemplate,
  seen: Set<string>,
): boolean {
  return all.some((next) => {
    if (!applies(next, from.generated)) return false;
    if (next.name === goal.name) return true;
    if (seen.has(next.name)) return false;
    seen.add(next.name);
    return reaches(all, next, goal, seen);
  });
}

/**
 * What an object makes, and what that makes in turn. `namespace`: the name of its namespace where that is known, which
 * then counts, and not what the object says. Throws `GatorError('expansion_invalid')`.
 */
export function expandObject(
  templates: readonly ExpansionTemplate[],
  object: Unstructured,
  namespace: string | undefined,
  depth = 0,
): readonly Generated[] {
  if (depth >= DEEPEST) throw bad(`maximum recursion depth of ${DEEPEST} reached`);
  const gvk = gvkOf(object);
  if (gvk.group === '' && gvk.version === '' && gvk.kind === '') {
    throw bad(`cannot expand resource ${nameOf(object)} with empty GVK`);
  }
  const made = templates
    .filter((template) => applies(template, gvk))
    .map((template) => ({
      object: generate(template, object, namespace),
      template: template.name,
      action: template.action,
    }));
  return [...made.flatMap((one) => expandObject(templates, one.object, namespace, depth + 1)), ...made];
}

function generate(template: ExpansionTemplate, parent: Unstructured, namespace: string | undefined): Unstructured {
  const source = sourceOf(template, parent);
  const { group, version, kind } = template.generated;
  const name = `${nameOf(parent)}${kind === '' ? '' : '-'}${kind}`.toLowerCase();
  const place = namespace ?? namespaceOf(parent);
  const metadata = new Map(Object.entries(isRecord(source['metadata']) ? source['metadata'] : {}));
  if (place !== '') metadata.set('namespace', place);
  else if (namespace !== undefined) metadata.delete('namespace');
  metadata.set('name', name);
  withOwner(metadata, parent);
  return {
    ...source,
    apiVersion: group === '' ? version : `${group}/${version}`,
    kind,
    metadata: Object.fromEntries(metadata),
  };
}

function sourceOf({ source }: ExpansionTemplate, parent: Unstructured): Record<string, unknown> {
  const path = source.split('.');
  let value: unknown = parent;
  for (const [at, step] of path.entries()) {
    if (value !== null && !isRecord(value)) throw notAMap(path.slice(0, at + 1));
    if (value === null || !Object.hasOwn(value, step)) {
      throw bad(`could not find source field ${JSON.stringify(source)} in resource ${nameOf(parent)}`);
    }
    value = value[step];
  }
  if (!isRecord(value)) throw notAMap(path);
  return structuredClone(value);
}

function notAMap(path: readonly string[]): GatorError {
  return bad(`could not extract source field from unstructured: .${path.join('.')} accessor error: it is no object`);
}

function withOwner(metadata: Map<string, unknown>, parent: Unstructured): void {
  const owner = { apiVersion: textAt(parent, 'apiVersion'), kind: textAt(parent, 'kind'), name: nameOf(parent) };
  if (owner.apiVersion === '' || owner.kind === '' || owner.name === '') return;
  const written = metadata.get('ownerReferences');
  const owners: readonly unknown[] = Array.isArray(written) ? written : [];
  const known = owners.some(
    (one) =>
      textAt(one, 'apiVersion') === owner.apiVersion &&
      textAt(one, 'kind') === owner.kind &&
      textAt(one, 'name') === owner.name,
  );
  if (!known) metadata.set('ownerReferences', [...owners, { ...owner, uid: '' }]);
}
