import { z } from 'zod';
import { kubernetesObject } from '../constraints/kubernetes-object.ts';
import type { AuditedKind } from '../constraints/paths.ts';
import { imagesOf, type WorkloadImage } from '../constraints/workload.ts';
import { HeldWorkload, type Labels, NO_IMAGES, NO_LABELS } from './held-workload.ts';
import type { SharedParts } from './live-cache-shared.ts';
import { reportedContainers } from './reported-containers.ts';

const text = z.string().catch('');
const labelsSchema = z.record(z.string(), z.string()).catch({});
const templateSchema = z
  .looseObject({ metadata: z.looseObject({ labels: labelsSchema }).catch({ labels: {} }) })
  .catch({ metadata: { labels: {} } });
const statuses = z
  .array(
    z.looseObject({
      name: text,
      imageID: text,
      state: z
        .looseObject({ running: z.looseObject({ startedAt: text }).optional().catch(undefined) })
        .optional()
        .catch(undefined),
    }),
  )
  .catch([]);
const NO_STATUS = { phase: '', containerStatuses: [], initContainerStatuses: [], ephemeralContainerStatuses: [] };
const objectSchema = z.looseObject({
  metadata: z.looseObject({ creationTimestamp: text }).catch({ creationTimestamp: '' }),
  spec: z
    .looseObject({
      replicas: z.number().optional().catch(undefined),
      template: templateSchema.optional(),
      jobTemplate: z
        .looseObject({ spec: z.looseObject({ template: templateSchema }) })
        .optional()
        .catch(undefined),
    })
    .catch({}),
  template: templateSchema.optional(),
  status: z
    .looseObject({
      phase: text,
      containerStatuses: statuses,
      initContainerStatuses: statuses,
      ephemeralContainerStatuses: statuses,
    })
    .catch(NO_STATUS),
});

/** Reads objects of one kind from JSON: for kinds, and proxies before API servers, that speak nothing else. */
export function jsonReader(of: AuditedKind, parts: SharedParts): (object: Record<string, unknown>) => HeldWorkload {
  return (object) => {
    const { metadata } = kubernetesObject.parse(object);
    const { spec, template, status, metadata: times } = objectSchema.parse(object);
    const held = new HeldWorkload(of);
    held.uid = metadata.uid;
    held.name = metadata.name;
    held.generateName = metadata.generateName ?? '';
    held.namespace = parts.namespaces.get(metadata.namespace, () => metadata.namespace);
    held.createdAt = epochOf(times.creationTimestamp);
    held.labels = sharedLabels(metadata.labels, parts);
    const made = of.kind === 'PodTemplate' ? template : (spec.jobTemplate?.spec.template ?? spec.template);
    held.templateLabels = sharedLabels(made?.metadata.labels ?? {}, parts);
    const controller = metadata.ownerReferences.find((one) => one.controller === true);
    if (controller) {
      const { uid, kind, name } = controller;
      held.owner = parts.owners.get(`${uid}\n${kind}\n${name}`, () => ({ uid, kind, name }));
    }
    held.images = sharedImages(imagesOf({ ...object, apiVersion: of.apiVersion, kind: of.kind }), parts);
    held.retired = of.kind === 'ReplicaSet' && spec.replicas === 0;
    if (of.kind !== 'Pod') return held;
    held.phase = status.phase;
    // In the order of their numbers in protobuf, so that both forms give the same.
    const all = [...status.containerStatuses, ...status.initContainerStatuses, ...status.ephemeralContainerStatuses];
    const { reported, runningSince } = reportedContainers(
      all.map(({ name, imageID, state }) => ({
        name,
        imageId: imageID,
        startedAt: epochOf(state?.running?.startedAt ?? ''),
      })),
      parts,
    );
    held.reported = reported;
    held.runningSince = runningSince;
    return held;
  };
}

function sharedLabels(labels: Labels, parts: SharedParts): Labels {
  const entries = Object.entries(labels);
  if (entries.length === 0) return NO_LABELS;
  return parts.labels.get(JSON.stringify(entries), () => Object.freeze({ ...labels }));
}

function sharedImages(images: readonly WorkloadImage[], parts: SharedParts): readonly WorkloadImage[] {
  if (images.length === 0) return NO_IMAGES;
  const keys = images.map(({ place, name, image }) => `${place}\0${name}\0${image}`);
  return parts.images.get(keys.join('\n'), () =>
    Object.freeze(images.map((one, at) => parts.image.get(keys[at] ?? '', () => Object.freeze(one)))),
  );
}

function epochOf(moment: string): number {
  const at = Date.parse(moment);
  return Number.isNaN(at) ? 0 : at;
}
