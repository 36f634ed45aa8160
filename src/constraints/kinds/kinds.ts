import { z } from 'zod';
import { REFERENCE_GRAMMAR } from '../../oci/reference.ts';
import { allowedRepos } from './allowed-repos.ts';
import { allowedReposV2 } from './allowed-repos-v2.ts';
import { disallowedRepos } from './disallowed-repos.ts';
import { disallowedTags } from './disallowed-tags.ts';
import { imageDigests } from './image-digests.ts';
import type { Breach, ImageRule, RuleMode } from './rule.ts';

export const CONSTRAINT_GROUP = 'constraints.gatekeeper.sh';

/** The image policies of Gatekeeper's library. */
export const CONSTRAINT_KINDS = [
  'K8sAllowedRepos',
  'K8sAllowedReposv2',
  'K8sDisallowedRepos',
  'K8sDisallowedTags',
  'K8sImageDigests',
] as const;
export type ConstraintKind = (typeof CONSTRAINT_KINDS)[number];

const strings = z.array(z.string()).nullish();
/** With the path to where the parameters stand, so that errors name it. */
const parametersSchema = z.object({
  spec: z.object({
    parameters: z
      .looseObject({ repos: strings, allowedImages: strings, tags: strings, exemptImages: strings })
      .nullish(),
  }),
});

interface KindDefinition {
  /** Name of the list without which the kind checks nothing; absent when it needs none. */
  readonly list?: 'repos' | 'allowedImages' | 'tags';
  /** Parameters it knows, for schemas and linters. */
  readonly parameters: readonly ('repos' | 'allowedImages' | 'tags' | 'exemptImages')[];
  /** True when an image that keeps the rule is trusted by it, so that the registry's verdict about it counts. */
  readonly trusts: boolean;
  compile(list: readonly string[], exemptImages: readonly string[], mode: RuleMode): ImageRule;
}

export const KIND_DEFINITIONS: Readonly<Record<ConstraintKind, KindDefinition>> = {
  K8sAllowedRepos: {
    list: 'repos',
    parameters: ['repos'],
    trusts: true,
    compile: (list, _, mode) => allowedRepos(list, mode),
  },
  K8sAllowedReposv2: {
    list: 'allowedImages',
    parameters: ['allowedImages'],
    trusts: true,
    compile: (list, _, mode) => allowedReposV2(list, mode),
  },
  K8sDisallowedRepos: {
    list: 'repos',
    parameters: ['repos'],
    trusts: false,
    compile: (list, _, mode) => disallowedRepos(list, mode),
  },
  K8sDisallowedTags: { parameters: ['tags', 'exemptImages'], trusts: false, compile: disallowedTags },
  K8sImageDigests: {
    parameters: ['exemptImages'],
    trusts: false,
    compile: (_, exemptImages, mode) => imageDigests(exemptImages, mode),
  },
};

/** `K8sAllowedRepos` → `k8sallowedrepos`, the plural and singular of its definition. */
export function pluralOf(kind: ConstraintKind): string {
  return kind.toLowerCase();
}

export function isConstraintKind(text: string): text is ConstraintKind {
  return Object.hasOwn(KIND_DEFINITIONS, text);
}

/**
 * The rule of a kind from `spec.parameters`. Undefined when the list it lives from is missing: it then checks nothing, as
 * in Gatekeeper. Throws `z.ZodError` when a parameter has the wrong shape.
 */
export function compileRule(kind: ConstraintKind, parameters: unknown, mode: RuleMode): ImageRule | undefined {
  const definition = KIND_DEFINITIONS[kind];
  const read = parametersSchema.parse({ spec: { parameters } }).spec.parameters ?? {};
  const list = definition.list === undefined ? read.tags : read[definition.list];
  if (definition.list !== undefined && !list) return undefined;
  return remembering(definition.compile(list ?? [], read.exemptImages ?? [], mode));
}

/** Clusters run the same few thousand images over and over. */
const MOST_REMEMBERED = 4096;
/** Characters of their texts together: there may be hundreds of constraints. */
const MOST_TEXT_REMEMBERED = 512 * 1024;

/** The rule with its last few thousand answers: they depend on the image's text alone. What is too long for a reference is not kept. */
function remembering(rule: ImageRule): ImageRule {
  const known = new Map<string, readonly Breach[]>();
  let characters = 0;
  return {
    ...rule,
    breaches(image, reference) {
      if (image.length > REFERENCE_GRAMMAR.longestText) return rule.breaches(image, reference);
      const before = known.get(image);
      if (before !== undefined) return before;
      const found = rule.breaches(image, reference);
      if (known.size >= MOST_REMEMBERED || characters + image.length > MOST_TEXT_REMEMBERED) {
        known.clear();
        characters = 0;
      }
      known.set(image, found);
      characters += image.length;
      return found;
    },
  };
}
