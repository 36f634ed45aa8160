import { z } from 'zod';
import { CodedError } from '../platform/errors.ts';
import { fieldAt, isRecord, textAt } from '../platform/json-object.ts';
import { groupOf, versionOf } from './kubernetes-object.ts';

/** `expansion_template_invalid` an ExpansionTemplate · `expansion_failed` an object that a template cannot be applied to. */
export class ExpansionError extends CodedError<'expansion_template_invalid' | 'expansion_failed'> {}

const strings = z.array(z.string()).nullish();
const templateSchema = z.looseObject({
  metadata: z.looseObject({ name: z.string().min(1).max(63) }),
  spec: z.looseObject({
    applyTo: z.array(z.looseObject({ groups: strings, versions: strings, kinds: strings })).min(1),
    templateSource: z.string().min(1),
    generatedGVK: z
      .looseObject({ group: z.string().nullish(), version: z.string().nullish(), kind: z.string().nullish() })
      .refine(({ group, version, kind }) => group || version || kind, 'is empty'),
    enforcementAction: z.string().nullish(),
  }),
});

/** An ExpansionTemplate: which objects make which others, and where in them these are described. */
export interface Expansion {
  readonly name: string;
  readonly appliesTo: (apiVersion: string, kind: string) => boolean;
  readonly path: readonly string[];
  readonly apiVersion: string;
  readonly kind: string;
  /** Instead of what the constraints say; empty = theirs. */
  readonly enforcementAction: string;
}

/** What an object makes of another one. */
export interface Generated {
  readonly object: Readonly<Record<string, unknown>>;
  readonly template: string;
  readonly enforcementAction: string;
}

const DEEPEST = 30;

/** Reads an ExpansionTemplate as the API server gives it. Throws `ExpansionError`. */
export function parseExpansion(object: unknown): Expansion {
  const parsed = templateSchema.safeParse(object);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ExpansionError(
      'expansion_template_invalid',
      `this ExpansionTemplate cannot be used: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
    );
  }
  const { metadata, spec } = parsed.data;
  const { group, version, kind } = spec.generatedGVK;
  // Each of the three lists must name the value; there are no wildcards here.
  const entries = spec.applyTo.map((entry) => ({
    groups: new Set(entry.groups ?? []),
    versions: new Set(entry.versions ?? []),
    kinds: new Set(entry.kinds ?? []),
  }));
  const apiVersion = group ? `${group}/${version ?? ''}` : (version ?? '');
  const expansion: Expansion = {
    name: metadata.name,
    appliesTo: (from, fromKind) =>
      entries.some(
        (entry) => entry.groups.has(groupOf(from)) && entry.versions.has(versionOf(from)) && entry.kinds.has(fromKind),
      ),
    path: spec.templateSource.split('.'),
    apiVersion,
    kind: kind ?? '',
    enforcementAction: spec.enforcementAction ?? '',
  };
  if (expansion.appliesTo(apiVersion, expansion.kind)) {
    throw new ExpansionError(
      'expansion_template_invalid',
      `ExpansionTemplate ${expansion.name} generates ${apiVersion} ${expansion.kind}, but also applies to it`,
    );
  }
  return expansion;
}

/**
 * Everything that an object makes under the templates, and what that makes in turn, innermost first, as Gatekeeper orders
 * it. Throws `ExpansionError` when a template's source is not in the object, or templates go in a circle.
 */
export function expandObject(
  expansions: readonly Expansion[],
  object: Readonly<Record<string, unknown>>,
  namespace: string,
  depth = 0,
): Generated[] {
  const { apiVersion, kind } = object;
  if (expansions.length === 0 || typeof apiVersion !== 'string' || typeof kind !== 'string') return [];
  if (depth >= DEEPEST) throw failed(`ExpansionTemplates go more than ${DEEPEST} levels deep`);
  const made = expansions
    .filter((expansion) => expansion.appliesTo(apiVersion, kind))
    .map((expansion) => generate(expansion, object, namespace));
  return [...made.flatMap((one) => expandObject(expansions, one.object, namespace, depth + 1)), ...made];
}

function generate(expansion: Expansion, parent: Readonly<Record<string, unknown>>, namespace: string): Generated {
  const source = fieldAt(parent, ...expansion.path);
  const parentName = textAt(parent, 'metadata', 'name');
  if (!isRecord(source)) {
    throw failed(`could not find source field "${expansion.path.join('.')}" in resource ${parentName}`);
  }
  const metadata = isRecord(source['metadata']) ? source['metadata'] : {};
  const suffix = expansion.kind === '' ? '' : `-${expansion.kind}`;
  return {
    template: expansion.name,
    enforcementAction: expansion.enforcementAction,
    object: {
      ...source,
      apiVersion: expansion.apiVersion,
      kind: expansion.kind,
      metadata: {
        ...metadata,
        name: `${parentName}${suffix}`.toLowerCase(),
        ...(namespace === '' ? {} : { namespace }),
      },
    },
  };
}

function failed(message: string): ExpansionError {
  return new ExpansionError('expansion_failed', message);
}
