import type { RunHistory } from '../constraints/live-workloads.ts';
import type { Clock } from '../platform/clock.ts';
import { type HeldWorkload, runsAlike } from './held-workload.ts';
import type { LiveCache } from './live-cache.ts';

/**
 * Tells the history what runs for which owner, and since when: everything once the whole cluster is known (before, an
 * owner could be taken for missing), then what changes. Gives what ends it.
 */
export function recordRuns(
  cache: LiveCache,
  history: Pick<RunHistory, 'record'>,
  clock: Clock,
  cameInUnseen: (at: number) => boolean = () => false,
): () => void {
  let started = false;
  let stopped = false;

  function tell(pod: HeldWorkload): void {
    if (pod.kind !== 'Pod' || pod.runningSince === 0) return;
    const ownerUid = cache.heldTopOf(pod).uid;
    // Its containers may have started when a guard was back: what let it in counts.
    const at = cameInUnseen(pod.createdAt) ? pod.createdAt : Math.min(pod.runningSince, clock.now());
    for (const { place, name, image } of pod.images) {
      if (place === 'volume') continue;
      const reported = pod.reported.find((one) => one.name === name);
      if (reported !== undefined) history.record({ ownerUid, image, digest: reported.digest, at });
    }
  }

  function startIfKnown(): void {
    if (started || stopped || !cache.complete()) return;
    started = true;
    clearInterval(waiting);
    for (const pod of cache.all()) tell(pod);
  }

  const unlisten = cache.listen({
    changed(now, before) {
      if (started && (before === undefined || !runsAlike(now, before) || before.runningSince === 0)) tell(now);
    },
    removed: () => undefined,
  });
  const waiting = setInterval(startIfKnown, WAIT_MS);
  waiting.unref();
  return () => {
    stopped = true;
    clearInterval(waiting);
    unlisten();
  };
}

const WAIT_MS = 250;
