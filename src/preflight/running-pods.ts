import { kubernetesObject } from '../constraints/kubernetes-object.ts';
import { AUDITED_KINDS } from '../constraints/paths.ts';
import { imagesIn, podIn } from '../constraints/workload.ts';
import type { KubernetesClient } from '../kubernetes/kubernetes-client.ts';
import { listPages } from '../kubernetes/list-pages.ts';
import { orUndefined } from './cluster-features.ts';

/** A pod that runs or that a template would make, with no more than decisions look at. */
export interface RunningPod {
  readonly pod: Readonly<Record<string, unknown>>;
  /** `Deployment shop/web`, for people. */
  readonly where: string;
}

const LISTS = {
  container: 'containers',
  initContainer: 'initContainers',
  ephemeralContainer: 'ephemeralContainers',
} as const;

/** Every pod of a cluster and every pod its templates make, alike ones once. Kinds that may not be read are left out. */
export async function readRunningPods(client: KubernetesClient): Promise<RunningPod[]> {
  const found = new Map<string, RunningPod>();
  for (const { path, apiVersion, kind } of AUDITED_KINDS) {
    const read = async (): Promise<void> => {
      for await (const page of listPages(client, path)) {
        for (const item of page.items) {
          const running = runningPodOf({ ...item, apiVersion, kind });
          const key = JSON.stringify(running?.pod);
          if (running !== undefined && !found.has(key)) found.set(key, running);
        }
      }
    };
    await orUndefined(read());
  }
  return [...found.values()];
}

/** The pod of a workload; undefined when it has none, or one without images. */
export function runningPodOf(object: unknown): RunningPod | undefined {
  const pod = podIn(object);
  const images = imagesIn(pod);
  if (images.length === 0) return undefined;
  const { kind, metadata } = kubernetesObject.parse(object);
  const spec: Record<string, object[]> = {};
  for (const { place, name, image } of images) {
    if (place !== 'volume') (spec[LISTS[place]] ??= []).push({ name, image });
  }
  const { labels } = kubernetesObject.parse(pod).metadata;
  return {
    where: `${kind} ${metadata.namespace}/${metadata.name}`,
    pod: { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: metadata.namespace, labels }, spec },
  };
}
