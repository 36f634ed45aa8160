import { goQuote } from '../../constraints/go-quote.ts';
import { fieldAt, isRecord, textAt } from '../../platform/json-object.ts';
import { GatorError, SAYS } from '../errors.ts';
import { gvkOf, nameOf, type Unstructured } from '../object.ts';
import { KNOWN_PROGRAMS, REFUSED_PROGRAMS, type RegoProgram } from './programs.ts';
import { regoFingerprint } from './rego-text.ts';
import { readSchema, type Schema } from './schema.ts';

/** A ConstraintTemplate whose Rego is known. */
export interface Template {
  readonly name: string;
  readonly kind: string;
  readonly program: RegoProgram;
  /** What `spec.parameters` must look like; undefined when the template allows none. */
  readonly parameters: Schema | undefined;
}

export const TARGET = 'admission.k8s.gatekeeper.sh';
const GROUP = 'templates.gatekeeper.sh';
const VERSIONS = ['v1', 'v1beta1', 'v1alpha1'];

export function isTemplate(object: unknown): boolean {
  const { group, kind } = gvkOf(object);
  return group === GROUP && kind === 'ConstraintTemplate';
}

/** The kind of constraint a template makes, also when its Rego is foreign. */
export function constraintKindOf(template: unknown): string {
  return textAt(template, 'spec', 'crd', 'spec', 'names', 'kind');
}

/** Why an object cannot even be taken for a ConstraintTemplate, in gator's words; undefined when it can. */
export function conversionError(object: unknown): string | undefined {
  if (!isTemplate(object)) return SAYS.notTemplate;
  const { version } = gvkOf(object);
  if (VERSIONS.includes(version)) return undefined;
  return `${SAYS.addingTemplate}: no kind "ConstraintTemplate" is registered for version "${GROUP}/${version}"`;
}

/**
 * Reads a ConstraintTemplate. Its program is recognised by its text, all of it: a template with other Rego, with CEL or
 * with a schema we cannot hold a constraint against is refused, never passed over.
 * Throws `GatorError`: `template_invalid` where Gatekeeper refuses it, `template_unknown` where only we do.
 */
export function readTemplate(object: Unstructured): Template {
  const error = conversionError(object);
  if (error !== undefined) throw new GatorError('template_invalid', error);
  const { version } = gvkOf(object);
  const targets = fieldAt(object, 'spec', 'targets');
  const [target, ...others] = Array.isArray(targets) ? targets : [];
  if (!isRecord(target) || others.length > 0) throw refused('must declare exactly one target');
  if (textAt(target, 'target') === '') throw refused('target name must not be empty');
  const name = nameOf(object);
  const kind = constraintKindOf(object);
  if (kind === '') throw refused(`ConstraintTemplate ${goQuote(name)} does not specify CRD Kind`);
  if (name.toLowerCase() !== kind.toLowerCase()) {
    throw refused(
      `the ConstraintTemplate's name ${goQuote(name)} is not equal to the lowercase of CRD's Kind: ${goQuote(kind.toLowerCase())}`,
    );
  }
  if (target['target'] !== TARGET) {
    throw refused(`target ${goQuote(textAt(target, 'target'))} not recognized, known targets [${TARGET}]`);
  }
  return { name, kind, program: programOf(name, kind, target), parameters: parametersOf(object, version) };
}

function refused(message: string): GatorError {
  return new GatorError('template_invalid', `${SAYS.invalidTemplate}: ${message}`);
}

function unknown(message: string): GatorError {
  return new GatorError('template_unknown', message);
}

function programOf(name: string, kind: string, target: Readonly<Record<string, unknown>>): RegoProgram {
  const source = sourceOf(name, target);
  const fingerprint = regoFingerprint([source.rego, ...source.libs]);
  const known = KNOWN_PROGRAMS.get(fingerprint);
  if (known === undefined || known.meaning.kind !== kind) {
    const which = REFUSED_PROGRAMS.get(fingerprint);
    throw unknown(
      which === undefined
        ? `the Rego of template ${goQuote(name)} is not one of the Gatekeeper library's that are known here; use gator for it`
        : `the Rego of template ${goQuote(name)} is ${which}, which is not supported; use gator for it`,
    );
  }
  if (source.version === 'v1' && !known.v1) throw unknown(`the Rego of template ${goQuote(name)} is no valid Rego v1`);
  return known;
}

interface Source {
  readonly rego: string;
  readonly libs: readonly string[];
  readonly version: string;
}

/** `rego` and `libs` beside each other, or an entry of `code`; the former wins, as in Gatekeeper. */
function sourceOf(name: string, target: Readonly<Record<string, unknown>>): Source {
  const codes = fieldAt(target, 'code');
  const code = Array.isArray(codes) ? codes : [];
  const engines = code.map((one) => textAt(one, 'engine'));
  if (engines.some((engine) => engine !== 'Rego')) {
    throw unknown(`template ${goQuote(name)} has code for ${engines.map(goQuote).join(', ')}; only Rego is known here`);
  }
  if (textAt(target, 'rego') !== '') {
    return { rego: textAt(target, 'rego'), libs: texts(target['libs']), version: 'v0' };
  }
  const source = fieldAt(code[0], 'source');
  if (textAt(source, 'rego') === '') throw unknown(`template ${goQuote(name)} has no Rego`);
  const version = textAt(source, 'version');
  return { rego: textAt(source, 'rego'), libs: texts(fieldAt(source, 'libs')), version: version || 'v0' };
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function parametersOf(object: Unstructured, version: string): Schema | undefined {
  const validation = fieldAt(object, 'spec', 'crd', 'spec', 'validation');
  const written = fieldAt(validation, 'legacySchema');
  // Since v1 a schema means what it says; before, everything else was let through too.
  const legacy = typeof written === 'boolean' ? written : version !== 'v1';
  const schema = fieldAt(validation, 'openAPIV3Schema');
  if (!isRecord(schema) && !legacy) return undefined;
  return readSchema(isRecord(schema) ? schema : {}, legacy);
}
