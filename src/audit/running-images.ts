import { z } from 'zod';
import type { KubernetesObject } from '../constraints/kubernetes-object.ts';
import { imagesOf } from '../constraints/workload.ts';
import { type Digest, tryParseDigest } from '../oci/digest.ts';
import type { RunningImage } from './ports.ts';

const statuses = z.array(z.looseObject({ name: z.string(), imageID: z.string().catch('') })).catch([]);
const podSchema = z.looseObject({
  status: z
    .looseObject({
      phase: z.string().catch(''),
      containerStatuses: statuses,
      initContainerStatuses: statuses,
      ephemeralContainerStatuses: statuses,
    })
    .catch({ phase: '', containerStatuses: [], initContainerStatuses: [], ephemeralContainerStatuses: [] }),
});

/** The images a pod runs, with the digest its node reports; empty once the pod has ended. */
export function runningImagesOf(
  pod: unknown,
  owner: { kind: string; name: string },
  object: KubernetesObject,
): RunningImage[] {
  const { status } = podSchema.parse(pod);
  if (status.phase === 'Succeeded' || status.phase === 'Failed') return [];
  const digests = new Map<string, Digest>();
  const all = [...status.containerStatuses, ...status.initContainerStatuses, ...status.ephemeralContainerStatuses];
  for (const { name, imageID } of all) {
    const digest = digestIn(imageID);
    if (digest) digests.set(name, digest);
  }
  return imagesOf(pod).map(({ name, image, place }) => {
    const digest = place === 'volume' ? undefined : digests.get(name);
    return { namespace: object.metadata.namespace, ...owner, container: name, image, ...(digest ? { digest } : {}) };
  });
}

/** `docker-pullable://x@sha256:…` names a manifest; a bare `sha256:…` is the id of a local image and names none. */
function digestIn(imageId: string): Digest | undefined {
  const at = imageId.lastIndexOf('@');
  return at < 0 ? undefined : tryParseDigest(imageId.slice(at + 1));
}
