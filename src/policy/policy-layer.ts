import { z } from 'zod';
import { canonicalJson } from '../oci/canonical.ts';
import { sayProblems, unknownName } from '../platform/problems.ts';
import { defaultPolicy, type Policy } from './policy.ts';
import { documentOf, FIELD_PATHS, fieldOf, fieldsOf } from './policy-fields.ts';
import { FIELD_ORDERS, incomparable } from './policy-order.ts';
import { policySchema } from './policy-schema.ts';
import { upgradePolicy } from './upgrade-policy.ts';

/** What an installation or a project says of its policy: any of the fields; the rest is inherited. */
export interface PolicyLayer {
  /** By path, `block.fixable`. */
  readonly fields: ReadonlyMap<string, unknown>;
  /** Fields of the installation that a project may only tighten. */
  readonly locked: ReadonlySet<string>;
}

export const EMPTY_LAYER: PolicyLayer = { fields: new Map(), locked: new Set() };

const DEEPEST = 4;
/** Fields and groups of them. */
const FIELD_NAMES: ReadonlySet<string> = new Set(
  FIELD_PATHS.flatMap((path) => path.split('.').map((_, at, names) => names.slice(0, at + 1).join('.'))),
);

/** Where the value of a field comes from. */
export const ORIGINS = ['built-in', 'installation', 'installation-locked', 'project'] as const;
export type Origin = (typeof ORIGINS)[number];

export interface ResolvedPolicy {
  readonly policy: Policy;
  readonly origins: Readonly<Record<string, Origin>>;
}

const lockable = z
  .array(z.string())
  .describe('Fields, or groups of them, that a project may only tighten; of the installation only');

/** Published: any of the fields, and what is locked. */
export const policyLayerSchema = optional(policySchema).extend({ locked: lockable.optional() });

/** The same object with every field left to choose, deep inside too. */
function optional(schema: z.ZodObject): z.ZodObject {
  const shape = Object.entries(schema.shape).map(([name, inner]) => {
    const part = inner instanceof z.ZodObject ? withDescription(optional(inner), inner.description) : inner;
    return [name, (part as z.ZodType).optional()];
  });
  return z.object(Object.fromEntries(shape)).strict();
}

function withDescription(schema: z.ZodObject, description: string | undefined): z.ZodObject {
  return description === undefined ? schema : schema.describe(description);
}

/** A document that was read, or what is wrong with it, each with its place. */
export type ReadLayer = { readonly layer: PolicyLayer } | { readonly problems: string };

/** Reads a document as people write it. Unknown fields are refused, with the name that was probably meant. */
export function readLayer(document: unknown): ReadLayer {
  if (!isFields(document)) return { problems: 'policy: not an object of fields' };
  const { locked = [], ...fields } = document;
  const unknown = unknownFields(fields, '');
  if (unknown.length > 0) return { problems: sayProblems(unknown, unknownField) };
  const checked = policyLayerSchema.safeParse(document);
  if (!checked.success)
    return {
      problems: sayProblems(checked.error.issues, ({ path, message }) => `${path.join('.') || 'policy'}: ${message}`),
    };
  const names = locked as readonly string[];
  const odd = names.filter((name) => !isFieldName(name));
  if (odd.length > 0) return { problems: sayProblems(odd, (name) => `locked: ${unknownField(name)}`) };
  return { layer: { fields: fieldsOf(checked.data), locked: new Set([...new Set(names)].flatMap(pathsUnder)) } };
}

/** A stored document, whatever form it was stored in; null says nothing of its own. */
export function storedLayer(document: unknown): PolicyLayer {
  if (!isFields(document)) return EMPTY_LAYER;
  const { locked, ...fields } = document;
  return {
    fields: fieldsOf(upgradePolicy(fields)),
    locked: new Set(Array.isArray(locked) ? locked.flatMap((name) => pathsUnder(String(name))) : []),
  };
}

/** A layer as a document, the form that `readLayer` reads. */
export function layerDocument({ fields, locked }: PolicyLayer): Record<string, unknown> {
  return { ...documentOf(fields), ...(locked.size > 0 ? { locked: [...locked].sort() } : {}) };
}

/** Puts the layers on what is built in. A locked field is as strict as the installation has it, or stricter. */
export function resolvePolicy(installation: PolicyLayer, project: PolicyLayer = EMPTY_LAYER): ResolvedPolicy {
  const origins: Record<string, Origin> = {};
  const fields = FIELD_PATHS.map((path): [string, unknown] => {
    const isLocked = installation.locked.has(path);
    const above = installation.fields.has(path);
    const floor = above ? installation.fields.get(path) : fieldOf(defaultPolicy, path);
    origins[path] = isLocked ? 'installation-locked' : above ? 'installation' : 'built-in';
    if (!project.fields.has(path)) return [path, floor];
    const own = project.fields.get(path);
    const value = isLocked ? FIELD_ORDERS[path]?.strictest(floor, own) : own;
    if (!isLocked || canonicalJson(value) !== canonicalJson(floor)) origins[path] = 'project';
    return [path, value];
  });
  return { policy: Object.freeze(documentOf(fields) as unknown as Policy), origins };
}

/** What a project says that is looser than what the installation has locked. */
export function looserThanLocked(installation: PolicyLayer, project: PolicyLayer): string[] {
  const { policy: floor } = resolvePolicy(installation);
  return [...project.fields].flatMap(([path, value]) => {
    const least = fieldOf(floor, path);
    const order = FIELD_ORDERS[path];
    if (!installation.locked.has(path) || order?.atLeast(value, least)) return [];
    if (order === incomparable)
      return [
        `${path}: is locked: the installation says ${JSON.stringify(least)}, and a project cannot say otherwise; leave it out`,
      ];
    return [
      `${path}: ${JSON.stringify(value)} is looser than ${JSON.stringify(least)}, which the installation has locked; make it at least as strict, or leave it out`,
    ];
  });
}

/** The fields a name stands for: itself, or all of a group. */
export function pathsUnder(name: string): string[] {
  return FIELD_PATHS.filter((path) => path === name || path.startsWith(`${name}.`));
}

/** True for the name of a field, or of a group of them. */
export function isFieldName(name: string): boolean {
  return FIELD_NAMES.has(name);
}

/** `unknown field "blok"; did you mean "block"?`. */
export function unknownField(name: string): string {
  const depth = name.split('.', DEEPEST).length;
  const known = [...new Set(FIELD_PATHS.flatMap((path) => [path, path.split('.').slice(0, depth).join('.')]))];
  const last = name.slice(name.lastIndexOf('.'));
  const inGroup = FIELD_PATHS.find((path) => path.endsWith(last.startsWith('.') ? last : `.${last}`));
  return unknownName(
    name,
    known,
    inGroup === undefined ? 'see: breakwater policy schema' : `did you mean "${inGroup}"?`,
  );
}

/** Paths of what is no field, in the order of the document. */
function unknownFields(document: Record<string, unknown>, above: string): string[] {
  return Object.entries(document).flatMap(([name, value]) => {
    const path = `${above}${name}`;
    if (!isFieldName(path) || name.includes('.')) return [path];
    return FIELD_PATHS.includes(path) || !isFields(value) ? [] : unknownFields(value, `${path}.`);
  });
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
