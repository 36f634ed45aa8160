import { z } from 'zod';
import { type Constraint, ConstraintError, parseConstraint } from '../constraints/constraint.ts';
import { EvaluationError, evaluate } from '../constraints/evaluate.ts';
import { type Expansion, ExpansionError, parseExpansion } from '../constraints/expansion.ts';
import { NO_FACTS } from '../constraints/image-facts.ts';
import { CONSTRAINT_GROUP, CONSTRAINT_KINDS, isConstraintKind } from '../constraints/kinds/kinds.ts';
import type { NamespaceLabels } from '../constraints/match.ts';
import { OPTION_ANNOTATIONS } from '../constraints/options.ts';
import { messageOf } from '../platform/errors.ts';
import { readEach } from './read-each.ts';
import type { RunningPod } from './running-pods.ts';

/** Gatekeeper's objects, from a cluster or files. */
export interface GatekeeperObjects {
  readonly constraints: readonly unknown[];
  readonly templates: readonly unknown[];
  readonly configs: readonly unknown[];
  readonly expansions: readonly unknown[];
}

export interface TakeoverDeps {
  /** Undefined when a template says what the library's of that kind says, else why it is not known. */
  foreignTemplate(template: unknown): string | undefined;
  /** Labels of a namespace of the cluster. */
  readonly namespaceLabels: NamespaceLabels;
}

/** An image that runs and that the two would judge differently. */
export interface Difference {
  readonly image: string;
  readonly where: string;
  /** Gatekeeper admits it and we would deny it, or the other way round. */
  readonly change: 'denied-here' | 'admitted-here';
}

export interface TakenConstraint {
  readonly kind: string;
  readonly name: string;
  /**
   * What it takes to let in what runs: nothing, `breakwater/matching: prefix`, or `breakwater/compat: gatekeeper`, which
   * is left for people to decide.
   */
  readonly needs: 'nothing' | 'prefix' | 'compat';
  readonly differences: readonly Difference[];
  /** As it is to be applied: without what the API server adds, with the annotation where it is needed. */
  readonly object: Readonly<Record<string, unknown>>;
}

export interface Takeover {
  readonly taken: readonly TakenConstraint[];
  /** What stays behind, with the reason. */
  readonly left: readonly { readonly what: string; readonly why: string }[];
  /** ExpansionTemplates and the Config, which a guard reads as they are. */
  readonly kept: readonly string[];
}

const metadataSchema = z.looseObject({
  kind: z.string().catch(''),
  metadata: z.looseObject({ name: z.string().catch('') }).catch({ name: '' }),
});
const templateSchema = z.looseObject({
  spec: z.looseObject({
    crd: z.looseObject({ spec: z.looseObject({ names: z.looseObject({ kind: z.string() }) }) }),
  }),
});
const liveSchema = z.looseObject({ metadata: z.looseObject({ name: z.string() }), spec: z.unknown().optional() });

/**
 * What changes when a guard takes Gatekeeper's objects over: every constraint is judged over `running`, the pods of
 * the cluster, once as Gatekeeper does and once as we do. Pure.
 */
export function planTakeover(deps: TakeoverDeps, objects: GatekeeperObjects, running: readonly RunningPod[]): Takeover {
  const left: { what: string; why: string }[] = [];
  const foreign = new Map<string, string>();
  for (const template of objects.templates) {
    const kind = templateSchema.safeParse(template).data?.spec.crd.spec.names.kind ?? '';
    const why = isConstraintKind(kind)
      ? deps.foreignTemplate(template)
      : `a guard knows ${CONSTRAINT_KINDS.join(', ')}`;
    if (why === undefined) continue;
    foreign.set(kind, why);
    left.push({ what: `ConstraintTemplate ${nameOf(template)}`, why });
  }
  const expansions = readEach(objects.expansions, parseExpansion, ExpansionError, (why, object) =>
    left.push({ what: `ExpansionTemplate ${nameOf(object)}`, why }),
  );
  const taken: TakenConstraint[] = [];
  for (const object of objects.constraints) {
    const { kind, metadata } = metadataSchema.parse(object);
    const why = foreign.get(kind) ?? (isConstraintKind(kind) ? undefined : 'its kind is not known here');
    if (why !== undefined) {
      left.push({ what: `${kind} ${metadata.name}`, why });
      continue;
    }
    try {
      taken.push(takeOver(deps, object, expansions, running));
    } catch (error) {
      if (!(error instanceof ConstraintError)) throw error;
      left.push({ what: `${kind} ${metadata.name}`, why: messageOf(error) });
    }
  }
  const configs = objects.configs.filter((one) => nameOf(one) === 'config').map(() => 'Config config');
  return { taken, left, kept: [...configs, ...expansions.map(({ name }) => `ExpansionTemplate ${name}`)] };
}

function takeOver(
  deps: TakeoverDeps,
  object: unknown,
  expansions: readonly Expansion[],
  running: readonly RunningPod[],
): TakenConstraint {
  const theirs = parseConstraint(withAnnotations(object, { [OPTION_ANNOTATIONS.compat]: 'gatekeeper' }));
  const ours = parseConstraint(object);
  const differences = new Map<string, Difference>();
  for (const { pod, where } of running) {
    const here = brokenImages(deps, ours, expansions, pod);
    const there = brokenImages(deps, theirs, expansions, pod);
    for (const image of here.difference(there)) differences.set(image, { image, where, change: 'denied-here' });
    for (const image of there.difference(here)) {
      if (!differences.has(image)) differences.set(image, { image, where, change: 'admitted-here' });
    }
  }
  const found = [...differences.values()].sort((a, b) => (a.image < b.image ? -1 : 1));
  const asPrefix = withAnnotations(object, { [OPTION_ANNOTATIONS.matching]: 'prefix' });
  const byPrefix = parseConstraint(asPrefix);
  const denies = found.some(({ change }) => change === 'denied-here');
  const helps = running.every(({ pod }) =>
    brokenImages(deps, byPrefix, expansions, pod).isSubsetOf(brokenImages(deps, theirs, expansions, pod)),
  );
  const needs = !denies ? 'nothing' : helps ? 'prefix' : 'compat';
  return {
    kind: ours.kind,
    name: ours.name,
    needs,
    differences: found,
    object: applied(needs === 'prefix' ? asPrefix : object),
  };
}

/** The images of a workload that a constraint objects to. */
function brokenImages(
  deps: TakeoverDeps,
  constraint: Constraint,
  expansions: readonly Expansion[],
  object: unknown,
): Set<string> {
  const rules = { constraints: [constraint], expansions, exempt: () => false };
  try {
    const lines = evaluate({ ...NO_FACTS, namespaceLabels: deps.namespaceLabels }, rules, 'audit.gatekeeper.sh', {
      object,
    });
    // Gatekeeper's library reads no image volumes: those are ours alone and no difference of matching.
    return new Set(lines.filter(({ place }) => place !== 'volume').map(({ image }) => image));
  } catch (error) {
    if (error instanceof EvaluationError || error instanceof ExpansionError) return new Set();
    throw error;
  }
}

function withAnnotations(object: unknown, more: Readonly<Record<string, string>>): Record<string, unknown> {
  const whole = z.looseObject({ metadata: z.looseObject({}) }).parse(object);
  const before = z.looseObject({ annotations: z.record(z.string(), z.unknown()).optional() }).parse(whole.metadata);
  return { ...whole, metadata: { ...whole.metadata, annotations: { ...before.annotations, ...more } } };
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** Without what the API server and Gatekeeper add. */
function applied(object: unknown): Record<string, unknown> {
  const { metadata, spec } = liveSchema.parse(object);
  const { kind } = metadataSchema.parse(object);
  const { labels, annotations } = z
    .looseObject({
      labels: z.record(z.string(), z.string()).optional(),
      annotations: z.record(z.string(), z.string()).optional(),
    })
    .parse(metadata);
  const kept = Object.entries(annotations ?? {}).filter(([key]) => key !== LAST_APPLIED);
  return {
    apiVersion: `${CONSTRAINT_GROUP}/v1beta1`,
    kind,
    metadata: {
      name: metadata.name,
      ...(labels === undefined ? {} : { labels }),
      ...(kept.length === 0 ? {} : { annotations: Object.fromEntries(kept) }),
    },
    ...(spec === undefined ? {} : { spec }),
  };
}

function nameOf(object: unknown): string {
  return metadataSchema.safeParse(object).data?.metadata.name ?? '';
}
