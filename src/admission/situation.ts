import { type EvaluateDeps, type EvaluatedLine } from '../constraints/evaluate.ts';
import { ExpansionError, expandObject } from '../constraints/expansion.ts';
import type { DigestLookup } from '../constraints/image-facts.ts';
import type { Rules } from '../constraints/rules.ts';
import { imagesIn, imagesOf } from '../constraints/workload.ts';
import { breakGlass, type GlassDecision } from './break-glass.ts';
import { createDenialClock } from './denied-since.ts';
import { isMirrorPod } from './mirror-pod.ts';
import { isBeingDeleted } from './object-fields.ts';
import type { AdmissionRequest } from './parse-review.ts';
import { type Ownership, ownershipOf, type Restart, restartOf } from './restart.ts';
import type { ReviewMemory } from './review-memory.ts';

/** What is true of one request, beside what the rules say about its images. Found out when it is asked for. */
export interface Situation {
  readonly request: AdmissionRequest;
  readonly digests: DigestLookup;
  /** The object is on its way out: its finalizers are being taken off, and nothing may keep that up. */
  leaving(): boolean;
  /** The old object did not name this image: on a creation all are new. */
  brings(image: string): boolean;
  mirrorPod(): boolean;
  /** The living owner a controller makes the object for. */
  ownership(): Ownership | undefined;
  glass(): GlassDecision;
  restart(line: EvaluatedLine): Restart | undefined;
}

/** Prepares the questions that a decision about `request` may ask. */
export function situationOf(
  deps: EvaluateDeps & { readonly memory?: ReviewMemory },
  rules: Rules,
  request: AdmissionRequest,
): Situation {
  const { memory, digests } = deps;
  const denials = once(() => memory && createDenialClock(deps, rules, request, memory.history.rules));
  const before = once(() => (request.operation === 'UPDATE' ? oldImages(rules, request) : undefined));
  const ownership = once(() =>
    memory && request.operation === 'CREATE' ? ownershipOf(memory.live, memory.controllers, request) : undefined,
  );
  return {
    request,
    digests,
    leaving: once(() => isBeingDeleted(request.object)),
    brings: (image) => !(before()?.has(image) ?? false),
    mirrorPod: once(() => isMirrorPod(request)),
    ownership,
    glass: once(() => {
      if (memory === undefined) return {};
      const { history, breakGlassGroups: groups } = memory;
      return breakGlass({ glass: history.glass, groups }, request, ownership());
    }),
    restart(line) {
      const owned = ownership();
      // Most of what is denied is nobody's restart, and needs nothing of what was said before.
      const clock = owned && denials();
      if (memory === undefined || owned === undefined || clock === undefined) return undefined;
      const { history, cameInUnseen } = memory;
      const { constraint, image } = line;
      return restartOf({ runs: history.runs, digests, now: memory.clock.now(), cameInUnseen }, owned, {
        image,
        grace: constraint.options.restartGrace,
        times: () => clock(line),
      });
    },
  };
}

/** Every image text of the old object, wherever in it; for kinds that are not ours, of the pods it is said to make. */
function oldImages(rules: Rules, { oldObject, namespace = '' }: AdmissionRequest): ReadonlySet<string> {
  const images = new Set(imagesOf(oldObject).map(({ image }) => image));
  if (!oldObject || rules.expansions.length === 0) return images;
  try {
    for (const { object } of expandObject(rules.expansions, oldObject, namespace)) {
      for (const { image } of imagesIn(object)) images.add(image);
    }
  } catch (error) {
    // An old object that no template fits to had no images in the place where the new one has them.
    if (!(error instanceof ExpansionError)) throw error;
  }
  return images;
}

function once<Value>(find: () => Value): () => Value {
  let found: { readonly value: Value } | undefined;
  return () => {
    found ??= { value: find() };
    return found.value;
  };
}
