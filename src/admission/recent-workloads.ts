import { canNameImage } from '../constraints/image-bounds.ts';
import type { LiveWorkload, LiveWorkloads } from '../constraints/live-workloads.ts';
import type { Clock } from '../platform/clock.ts';

/** Living workloads, and those just admitted that the watch has not told of yet. */
export interface RecentWorkloads extends LiveWorkloads {
  /** Something that makes pods was let in and will be stored in a moment. */
  admitted(workload: LiveWorkload): void;
}

/** A controller makes the first pod milliseconds after its ReplicaSet; watches lag behind by as much. */
const KEPT_MS = 60_000;
const MOST = 5000;
const MOST_CHARACTERS = 16 * 1024 * 1024;
const LONGEST_CHAIN = 10;

/** Bridges the moment between the admission of an owner and its appearance in the watch. */
export function createRecentWorkloads(live: LiveWorkloads, clock: Clock): RecentWorkloads {
  const recent = new Map<
    string,
    { readonly workload: LiveWorkload; readonly until: number; readonly characters: number }
  >();
  let characters = 0;

  function forget(uid: string): void {
    characters -= recent.get(uid)?.characters ?? 0;
    recent.delete(uid);
  }

  function workload(uid: string): LiveWorkload | undefined {
    const known = live.workload(uid);
    if (known) return known;
    const entry = recent.get(uid);
    return entry && entry.until > clock.now() ? entry.workload : undefined;
  }

  return {
    workload,
    topOf(uid) {
      let top = workload(uid);
      for (let steps = 0; top && steps < LONGEST_CHAIN; steps += 1) {
        if (live.workload(top.uid)) return live.topOf(top.uid) ?? top;
        const above = top.controller && workload(top.controller.uid);
        if (!above) return top;
        top = above;
      }
      return top;
    },
    problem: () => live.problem(),
    admitted(workload) {
      const { uid, name, namespace } = workload;
      forget(uid);
      const images = workload.images.filter(({ image }) => canNameImage(image));
      const texts = [uid, name, namespace, ...images.flatMap((one) => [one.name, one.image])];
      const length = texts.reduce((sum, text) => sum + text.length, 0);
      recent.set(uid, { workload: { ...workload, images }, until: clock.now() + KEPT_MS, characters: length });
      characters += length;
      while (recent.size > 0 && (recent.size > MOST || characters > MOST_CHARACTERS)) {
        const [oldest = ''] = recent.keys();
        forget(oldest);
      }
    },
  };
}

/** Nobody is known to live: where no cluster is watched. */
export const NO_WORKLOADS: LiveWorkloads = {
  workload: () => undefined,
  topOf: () => undefined,
  problem: () => 'no cluster is watched',
};
