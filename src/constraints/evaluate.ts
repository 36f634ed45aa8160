import type { Constraint, EnforcementAction, EnforcementPoint } from './constraint.ts';
import type { ImageFacts } from './image-facts.ts';
import { type ImageLine, judgeImage } from './judge-image.ts';
import { type KubernetesObject, kubernetesObject } from './kubernetes-object.ts';
import { type MatchSubject, matches } from './match.ts';
import { imagesOf } from './workload.ts';

export interface EvaluateDeps extends ImageFacts {
  /** Labels of a namespace, undefined when it is not known. */
  namespaceLabels(name: string): Readonly<Record<string, string>> | undefined;
}

/** One line about one image under one constraint, with what the constraint does about it. */
export interface EvaluatedLine extends ImageLine {
  readonly constraint: Constraint;
  readonly action: EnforcementAction;
  readonly image: string;
}

export interface EvaluateInput {
  /** The object, as the API server gives it. */
  readonly object: unknown;
  /** Before an update: a constraint that covers either of the two applies. */
  readonly oldObject?: unknown;
  /** Namespace of the request; the object's own when absent. */
  readonly namespace?: string;
}

/** Judges all images of an object under all constraints that cover it. Shared by webhook and audit. */
export function evaluate(
  deps: EvaluateDeps,
  constraints: readonly Constraint[],
  point: EnforcementPoint,
  input: EvaluateInput,
): EvaluatedLine[] {
  const images = imagesOf(input.object);
  if (images.length === 0) return [];
  const subjects = [input.object, input.oldObject].flatMap((object) => {
    const parsed = kubernetesObject.safeParse(object);
    return parsed.success ? [subjectOf(parsed.data, input.namespace)] : [];
  });
  const lines: EvaluatedLine[] = [];
  for (const constraint of constraints) {
    const action = constraint.actionAt(point);
    if (action === undefined) continue;
    const covered = subjects.some((one) => matches(constraint.match, one, deps.namespaceLabels(one.namespace)));
    if (!covered) continue;
    for (const workload of images) {
      const line = judgeImage(deps, constraint, workload);
      if (line) lines.push({ ...line, constraint, action, image: workload.image });
    }
  }
  return lines;
}

function subjectOf({ apiVersion, kind, metadata }: KubernetesObject, namespace: string | undefined): MatchSubject {
  return {
    apiVersion,
    kind,
    name: metadata.name,
    generateName: metadata.generateName,
    namespace: namespace ?? metadata.namespace,
    labels: metadata.labels,
  };
}
