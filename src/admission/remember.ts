import { MOST_JUDGED } from '../constraints/image-bounds.ts';
import { imagesOf, podIn } from '../constraints/workload.ts';
import { textAt } from '../platform/json-object.ts';
import { ticketOf } from './break-glass.ts';
import type { DecidedLine } from './decide-line.ts';
import { controllerOf, kindOf, nameOf, uidOf } from './object-fields.ts';
import { recordRuns } from './restart.ts';
import type { ReviewMemory } from './review-memory.ts';
import type { Situation } from './situation.ts';

/**
 * Keeps what a review found, and for an object that was let in what later ones may build on: its images for its owner,
 * who broke the glass for it, and that it exists. A dry run leaves nothing.
 */
export function remember(
  memory: ReviewMemory,
  situation: Situation,
  decided: readonly DecidedLine[],
  allowed: boolean,
): void {
  if (situation.request.dryRun === true) return;
  if (decided.length > 0) recordFindings(memory, situation, decided);
  if (!allowed) return;
  rememberRuns(memory, situation);
  rememberGlass(memory, situation, decided);
}

function recordFindings(memory: ReviewMemory, situation: Situation, decided: readonly DecidedLine[]): void {
  const { request } = situation;
  const { object, namespace = '', name = '', userInfo } = request;
  const top = situation.ownership()?.top;
  const about = {
    at: memory.clock.now(),
    object: { apiVersion: textAt(object, 'apiVersion'), kind: kindOf(object), namespace, name: nameOf(object) || name },
    user: userInfo?.username ?? '',
    ...(top ? { owner: { kind: top.kind, name: top.name } } : {}),
  };
  for (const { line, taken, text } of decided) {
    const { constraint, image } = line;
    memory.recorder.record({
      ...about,
      constraint: { kind: constraint.kind, name: constraint.name },
      action: taken,
      image,
      message: text,
    });
  }
}

function rememberRuns(memory: ReviewMemory, situation: Situation): void {
  const { request, digests } = situation;
  const now = memory.clock.now();
  const { object, operation, namespace = '' } = request;
  const top = situation.ownership()?.top;
  const isPod = kindOf(object) === 'Pod';
  // A pod of nobody's is never made again; one whose owner is only claimed must not become that owner's history.
  if (top === undefined && (isPod || controllerOf(object) !== undefined)) return;
  const images = imagesOf(object);
  // Nobody has looked at them.
  if (images.length > MOST_JUDGED.own) return;
  const brought = images.filter(({ image }) => situation.brings(image)).map(({ image }) => image);
  if (brought.length > 0) recordRuns({ runs: memory.history.runs, digests, now }, top?.uid ?? uidOf(object), brought);
  if (isPod || operation !== 'CREATE' || podIn(object) === undefined || uidOf(object) === '') return;
  const controller = top && controllerOf(object);
  memory.live.admitted({
    uid: uidOf(object),
    apiVersion: textAt(object, 'apiVersion'),
    kind: kindOf(object),
    namespace,
    name: nameOf(object),
    ...(controller ? { controller } : {}),
    images,
  });
}

function rememberGlass(memory: ReviewMemory, situation: Situation, decided: readonly DecidedLine[]): void {
  const { request } = situation;
  const { glass } = memory.history;
  const uid = uidOf(request.object);
  if (uid === '') return;
  const images = decided.filter(({ taken }) => taken === 'break-glass').map(({ line }) => line.image);
  const { broken } = images.length === 0 ? {} : situation.glass();
  if (broken) {
    const { ticket, user, root = uid } = broken;
    if (kindOf(request.object) !== 'Pod') glass.record({ uid, root, ticket, user, at: memory.clock.now(), images });
  } else if (request.operation === 'UPDATE' && glass.admitted(uid)?.root === uid && !ticketOf(request.object)) {
    glass.forget(uid);
  }
}
