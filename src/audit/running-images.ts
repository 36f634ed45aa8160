import type { HeldWorkload } from './held-workload.ts';
import { hasEnded } from './held-workload.ts';
import type { LiveCache } from './live-cache.ts';
import type { RunningImage } from './ports.ts';

/** The images that pods run, each once for every container of an owner at the top; ended pods run nothing. */
export function runningImages(cache: LiveCache): RunningImage[] {
  const byPlace = new Map<string, RunningImage>();
  for (const pod of cache.all()) {
    if (pod.kind !== 'Pod' || hasEnded(pod)) continue;
    const top = cache.heldTopOf(pod);
    for (const image of imagesOfPod(pod, top)) {
      const place = `${top.uid}\n${image.container}`;
      const other = byPlace.get(place);
      // Of pods that differ while an owner rolls out, one that runs says more than one that waits.
      if (other === undefined || (other.digest === undefined && image.digest !== undefined)) byPlace.set(place, image);
    }
  }
  return [...byPlace.values()];
}

function imagesOfPod(pod: HeldWorkload, top: HeldWorkload): RunningImage[] {
  return pod.images.map(({ place, name, image }) => {
    const digest = place === 'volume' ? undefined : pod.reported.find((one) => one.name === name)?.digest;
    return {
      namespace: pod.namespace,
      kind: top.kind,
      name: top.name,
      container: name,
      image,
      ...(digest ? { digest } : {}),
    };
  });
}
