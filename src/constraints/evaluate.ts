import { CodedError } from '../platform/errors.ts';
import { isRecord } from '../platform/json-object.ts';
import type { Constraint } from './constraint.ts';
import { ENFORCEMENT_ACTIONS, type EnforcementAction, type EnforcementPoint } from './enforcement.ts';
import type { ExemptProcess } from './exemption.ts';
import { expandObject, type Generated } from './expansion.ts';
import { type Brings, excessOf, MOST_JUDGED, oneOf, roomFor, UNSAID } from './image-bounds.ts';
import type { ImageFacts } from './image-facts.ts';
import { type ImageLine, judgeImage } from './judge-image.ts';
import type { MatchSubject, NamespaceLabels } from './match.ts';
import { countedMessage } from './messages.ts';
import { parseReferenceOnce } from './reference-memory.ts';
import type { Rules } from './rules.ts';
import { subjectOf } from './subject.ts';
import { imagesIn, libraryImagesIn, podIn, type WorkloadImage } from './workload.ts';

/** `namespace_unknown`: a constraint asks for the labels of a namespace that nobody knows · `out_of_time`. */
export class EvaluationError extends CodedError<'namespace_unknown' | 'out_of_time'> {}

export interface EvaluateDeps extends ImageFacts {
  /** Labels of a namespace, undefined when it is not known. */
  readonly namespaceLabels: NamespaceLabels;
  /** True once nobody waits for the answer any more: asked between constraints. */
  readonly outOfTime?: (() => boolean) | undefined;
}

/** One line about one image under one constraint, with what the constraint does about it. */
export interface EvaluatedLine extends ImageLine, WorkloadImage {
  readonly kind: ImageLine['kind'];
  readonly constraint: Constraint;
  /** The strongest action. */
  readonly action: EnforcementAction;
  /** All actions, strongest first. */
  readonly actions: readonly EnforcementAction[];
  /** What the constraint says in its own word (`scoped` too), or what the ExpansionTemplate says instead. */
  readonly enforcementAction: string;
  /** Name of the ExpansionTemplate that made the pod with this image; it stands in the message too. */
  readonly impliedBy?: string;
  /** It stands for several images: for all of an object that has too many (1), or for so many that are only counted. */
  readonly excess?: number;
}

export interface EvaluateInput {
  /** The object, as the API server gives it. */
  readonly object: unknown;
  /** Before an update: a constraint that covers either of the two applies. */
  readonly oldObject?: unknown;
  /** Namespace of the request; the object's own when absent. */
  readonly namespace?: string;
  /** Whether an image is new to the object; all are when absent. Only asked where one image stands for many. */
  readonly brings?: Brings;
}

/** Something with images, and what the matchers may find it as. */
interface Candidate {
  readonly images: readonly WorkloadImage[];
  readonly subjects: readonly MatchSubject[];
  readonly generated?: Generated;
}

/**
 * Judges all images of an object under all constraints that cover it. Shared by webhook, audit and tools. A template is
 * judged as the pod it makes, so a constraint that names only Pod covers it; under `compat` only what Gatekeeper's
 * library reads counts: the containers of pods, and templates through ExpansionTemplates. What names more images than are
 * judged gets one line from every constraint that covers it, whatever the images are. Throws `EvaluationError`, and
 * `ExpansionError` when a template cannot be applied.
 */
export function evaluate(
  deps: EvaluateDeps,
  rules: Rules,
  point: EnforcementPoint,
  input: EvaluateInput,
): EvaluatedLine[] {
  const { constraints } = rules;
  if (!isRecord(input.object) || constraints.length === 0) return [];
  const object = input.object;
  const original = subjectOf(object, input.namespace, 'Original');
  const process = PROCESSES[point];
  if (process !== undefined && rules.exempt(original.namespace, process)) return [];
  const old = isRecord(input.oldObject) ? [subjectOf(input.oldObject, input.namespace, 'Original')] : [];
  const generated =
    rules.expansions.length === 0
      ? []
      : expandObject(
          rules.expansions,
          { ...object, apiVersion: original.apiVersion, kind: original.kind },
          original.namespace,
        );

  const lines: EvaluatedLine[] = [];
  const room = roomFor();
  const brings = input.brings ?? (() => true);
  const judge = (constraint: Constraint, actions: readonly EnforcementAction[], candidate: Candidate): void =>
    judgeCandidate({ deps, brings, room, lines }, constraint, actions, candidate);
  let own: Candidate | undefined;
  let raw: Candidate | undefined;
  let rawImplied: readonly Candidate[] | undefined;
  let implied: readonly Candidate[] | undefined;
  for (const constraint of constraints) {
    const actions = constraint.actionsAt(point);
    // An ExpansionTemplate can give an action to a constraint that has an empty one.
    if ((actions.length === 0 && constraint.enforcementAction !== '') || constraint.rule === undefined) continue;
    if (constraint.options.compat) {
      raw ??= { images: libraryImagesIn(object), subjects: [original, ...old] };
      rawImplied ??= generated.map((one) => impliedCandidate(one, libraryImagesIn));
      for (const candidate of [raw, ...rawImplied]) judge(constraint, actions, candidate);
      continue;
    }
    own ??= ownCandidate(object, original, old);
    // A built-in template is judged already; an ExpansionTemplate for the same kind can still say with which action.
    judge(constraint, overridden(generated, own, actions), own);
    if (own.images.length > 0) continue;
    implied ??= generated.map((one) => impliedCandidate(one, imagesIn));
    for (const candidate of implied) judge(constraint, actions, candidate);
  }
  return lines;
}

/** Namespaces are exempted from what runs in the cluster, not from tools. */
const PROCESSES: Partial<Record<EnforcementPoint, ExemptProcess>> = {
  'validation.gatekeeper.sh': 'webhook',
  'audit.gatekeeper.sh': 'audit',
};

function ownCandidate(
  object: Readonly<Record<string, unknown>>,
  original: MatchSubject,
  old: readonly MatchSubject[],
): Candidate {
  const pod = podIn(object);
  const images = imagesIn(pod);
  if (pod === undefined || pod === object) return { images, subjects: [original, ...old] };
  const { labels } = subjectOf(pod, original.namespace, 'Generated');
  const made: MatchSubject = {
    apiVersion: 'v1',
    kind: 'Pod',
    name: `${original.name}-pod`.toLowerCase(),
    namespace: original.namespace,
    labels,
    source: 'Generated',
  };
  return { images, subjects: [original, ...old, made] };
}

function impliedCandidate(generated: Generated, read: (object: unknown) => readonly WorkloadImage[]): Candidate {
  return {
    images: read(generated.object),
    subjects: [subjectOf(generated.object, undefined, 'Generated')],
    generated,
  };
}

function overridden(
  generated: readonly Generated[],
  own: Candidate,
  actions: readonly EnforcementAction[],
): readonly EnforcementAction[] {
  if (generated.length === 0 || own.images.length === 0) return actions;
  const override = generated.find(({ enforcementAction }) => enforcementAction !== '')?.enforcementAction;
  return override === undefined ? actions : ENFORCEMENT_ACTIONS.filter((action) => action === override);
}

/** What the candidates of one evaluation have in common. */
interface Evaluation {
  readonly deps: EvaluateDeps;
  readonly brings: Brings;
  readonly room: ReturnType<typeof roomFor>;
  readonly lines: EvaluatedLine[];
}

function judgeCandidate(
  { deps, brings, room: rooms, lines }: Evaluation,
  constraint: Constraint,
  actions: readonly EnforcementAction[],
  { images, subjects, generated }: Candidate,
): void {
  if (images.length === 0 || !covers(deps, constraint, subjects)) return;
  // The time of a few images costs less than looking at the clock.
  if (images.length > FEW_IMAGES && deps.outOfTime?.()) {
    throw new EvaluationError('out_of_time', 'the images could not be judged under all constraints in time');
  }
  const override = generated?.enforcementAction;
  const used = override ? ENFORCEMENT_ACTIONS.filter((action) => action === override) : actions;
  const [action] = used;
  if (action === undefined) return;
  const room = constraint.options.compat ? rooms.compat : rooms.own;
  const implied = generated ? `[Implied by ${generated.template}] ` : '';
  const add = (
    line: ImageLine,
    { place, name, image }: WorkloadImage,
    stands?: Pick<EvaluatedLine, 'excess'>,
  ): void => {
    const message = `${implied}${line.message}`;
    room.characters -= message.length;
    lines.push({
      ...line,
      message,
      place,
      name,
      image,
      constraint,
      action,
      actions: used,
      enforcementAction: override || constraint.enforcementAction,
      ...(generated ? { impliedBy: generated.template } : {}),
      ...stands,
    });
  };
  const broken = { kind: 'untrusted' as const, ...(constraint.since === undefined ? {} : { since: constraint.since }) };
  const excess = excessOf(images, constraint.options.compat ? MOST_JUDGED.compat : MOST_JUDGED.own, brings);
  if (excess) {
    add({ ...broken, message: excess.message }, excess.image, { excess: 1 });
    return;
  }
  // Rego collects violations in a set: what would be said in the same words is said once.
  const said = sayTwice(images) ? new Set<string>() : undefined;
  const counted: WorkloadImage[] = [];
  let told = 0;
  for (const image of images) {
    const counts = told >= room.lines || (told > 0 && room.characters < 0);
    const words = counts ? UNSAID : constraint.words;
    for (const line of judgeImage(deps, constraint, image, parseReferenceOnce(image.image), words)) {
      if (line.message === '') counted.push(image);
      if (line.message === '' || said?.has(line.message)) continue;
      said?.add(line.message);
      add(line, image);
      told += 1;
    }
  }
  const one = oneOf(counted, brings);
  if (one) add({ ...broken, message: countedMessage(counted.length) }, one, { excess: counted.length });
}

/** True when two containers of one name and image could lead to the same sentence; messages are long, so this is asked first. */
function sayTwice(images: readonly WorkloadImage[]): boolean {
  if (images.length < 2) return false;
  if (images.length > FEW_IMAGES) return true;
  return images.some((one, index) =>
    images.slice(index + 1).some((other) => other.name === one.name && other.image === one.image),
  );
}

/** More of them are not worth comparing one by one. */
const FEW_IMAGES = 16;

function covers(deps: EvaluateDeps, { matcher, name }: Constraint, subjects: readonly MatchSubject[]): boolean {
  for (const subject of subjects) {
    const result = matcher.matches(subject, deps.namespaceLabels);
    if (result === true) return true;
    if (result === 'unknown-namespace') {
      throw new EvaluationError(
        'namespace_unknown',
        `the constraint ${name} selects by the labels of namespace "${subject.namespace}", which is not known (yet)`,
      );
    }
  }
  return false;
}
