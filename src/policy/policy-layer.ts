import { z } from 'zod';
import { canonicalJson } from '../oci/canonical.ts';
import { nearestName } from './nearest-name.ts';
import { defaultPolicy, type Policy } from './policy.ts';
import { documentOf, FIELD_PATHS, fieldOf, fieldsOf } from './policy-fields.ts';
import { FIELD_ORDERS } from './policy-order.ts';
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

/** A document that was read, or everything that is wrong with it, each with its place. */
export type ReadLayer = { readonly layer: PolicyLayer } | { readonly problems: readonly string[] };

/** Reads a document as people write it. Unknown fields are refused, with the name that was probably meant. */
export function readLayer(document: unknown): ReadLayer {
  if (!isFields(document)) return { problems: ['policy: not an object of fields'] };
  const { locked = [], ...fields } = document;
  const unknown = unknownFields(fields, '');
  if (unknown.length > 0) return { problems: unknown };
  const checked = policyLayerSchema.safeParse(document);
  if (!checked.success)
    return { problems: checked.error.issues.map(({ path, message }) => `${path.join('.') || 'policy'}: ${message}`) };
  const paths = (locked as readonly string[]).map((name) => ({ name, paths: pathsUnder(name) }));
  const odd = paths.filter((lock) => lock.paths.length === 0).map(({ name }) => `locked: ${unknownField(name)}`);
  if (odd.length > 0) return { problems: odd };
  return { layer: { fields: fieldsOf(checked.data), locked: new Set(paths.flatMap((lock) => lock.paths)) } };
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
    if (!installation.locked.has(path) || FIELD_ORDERS[path]?.atLeast(value, least)) return [];
    return [
      `${path}: ${JSON.stringify(value)} is looser than ${JSON.stringify(least)}, which the installation has locked; make it at least as strict, or leave it out`,
    ];
  });
}

/** The fields a name stands for: itself, or all of a group. */
export function pathsUnder(name: string): string[] {
  return FIELD_PATHS.filter((path) => path === name || path.startsWith(`${name}.`));
}

/** `unknown field "blok"; did you mean "block"?`. */
export function unknownField(name: string): string {
  const depth = name.split('.').length;
  const known = [...new Set(FIELD_PATHS.flatMap((path) => [path, path.split('.').slice(0, depth).join('.')]))];
  const meant = nearestName(name, known) ?? FIELD_PATHS.find((path) => path.endsWith(`.${name.split('.').at(-1)}`));
  return `unknown field ${JSON.stringify(name)}; ${meant === undefined ? 'see: breakwater policy schema' : `did you mean "${meant}"?`}`;
}

function unknownFields(document: Record<string, unknown>, above: string): string[] {
  return Object.entries(document).flatMap(([name, value]) => {
    const path = `${above}${name}`;
    const under = pathsUnder(path);
    if (under.length === 0 || name.includes('.')) return [unknownField(path)];
    return under.includes(path) || !isFields(value) ? [] : unknownFields(value, `${path}.`);
  });
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
