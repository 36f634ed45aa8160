import { type Digest, tryParseDigest } from '../oci/digest.ts';
import { NOTHING_REPORTED, type ReportedContainer } from './held-workload.ts';
import type { SharedParts } from './live-cache-shared.ts';

/** A container's status as the node wrote it. */
export interface ReportedStatus {
  readonly name: string;
  readonly imageId: string;
  /** Epoch ms; 0 while it does not run. */
  readonly startedAt: number;
}

/** What a pod's statuses say about the images that really run, and since when the first of its containers does. */
export function reportedContainers(
  statuses: readonly ReportedStatus[],
  parts: SharedParts,
): { readonly reported: readonly ReportedContainer[]; readonly runningSince: number } {
  if (statuses.length === 0) return { reported: NOTHING_REPORTED, runningSince: 0 };
  const key = statuses.map(({ name, imageId }) => `${name}\0${imageId}`).join('\n');
  const reported = parts.reported.get(key, () =>
    Object.freeze(
      statuses.map(({ name, imageId }) => {
        const digest = digestIn(imageId);
        return Object.freeze({ name, ...(digest ? { digest } : {}) });
      }),
    ),
  );
  const started = statuses.map(({ startedAt }) => startedAt).filter((at) => at > 0);
  return { reported, runningSince: started.length === 0 ? 0 : Math.min(...started) };
}

/** `docker-pullable://x@sha256:…` names a manifest; a bare `sha256:…` is the id of a local image and names none. */
function digestIn(imageId: string): Digest | undefined {
  const at = imageId.lastIndexOf('@');
  return at < 0 ? undefined : tryParseDigest(imageId.slice(at + 1));
}
