import { hasEnded } from './held-workload.ts';
import type { LiveCache } from './live-cache.ts';
import type { RunningImage } from './ports.ts';

/** The images that pods run, each once for every container of an owner at the top; ended pods run nothing. */
export function runningImages(cache: LiveCache): RunningImage[] {
  /** By uid of that owner, one for each container. */
  const byTop = new Map<string, RunningImage[]>();
  for (const pod of cache.all()) {
    if (pod.kind !== 'Pod' || hasEnded(pod)) continue;
    const top = cache.heldTopOf(pod);
    const run = byTop.get(top.uid) ?? [];
    if (run.length === 0) byTop.set(top.uid, run);
    for (const { place, name, image } of pod.images) {
      const at = run.findIndex(({ container }) => container === name);
      const digest = place === 'volume' ? undefined : pod.reported.find((one) => one.name === name)?.digest;
      // Of pods that differ while an owner rolls out, one that runs says more than one that waits.
      if (at >= 0 && (digest === undefined || run[at]?.digest !== undefined)) continue;
      run[at < 0 ? run.length : at] = {
        namespace: pod.namespace,
        kind: top.kind,
        name: top.name,
        container: name,
        image,
        ...(digest ? { digest } : {}),
      };
    }
  }
  return [...byTop.values()].flat();
}
