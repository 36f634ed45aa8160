import type { Reference } from '../oci/reference.ts';
import { fieldAt, isRecord } from '../platform/json-object.ts';
import { groupOf } from './kubernetes-object.ts';
import { parseReferenceOnce } from './reference-memory.ts';

/** Where in a pod an image is named. */
export type ImagePlace = 'container' | 'initContainer' | 'ephemeralContainer' | 'volume';

/** One image a workload would run. */
export interface WorkloadImage {
  readonly place: ImagePlace;
  /** Name of the container or volume. */
  readonly name: string;
  /** As written in the manifest. */
  readonly image: string;
}

interface WorkloadKind {
  readonly groups: readonly string[];
  /** Path from the object to what is shaped like a pod: its metadata and its specification. */
  readonly path: readonly string[];
}

const TEMPLATE = ['spec', 'template'];
/** Kinds that run pods. `extensions` is the group they had before `apps`. */
const KINDS: Readonly<Record<string, WorkloadKind>> = {
  Pod: { groups: [''], path: [] },
  PodTemplate: { groups: [''], path: ['template'] },
  ReplicationController: { groups: [''], path: TEMPLATE },
  ReplicaSet: { groups: ['apps', 'extensions'], path: TEMPLATE },
  Deployment: { groups: ['apps', 'extensions'], path: TEMPLATE },
  StatefulSet: { groups: ['apps', 'extensions'], path: TEMPLATE },
  DaemonSet: { groups: ['apps', 'extensions'], path: TEMPLATE },
  Job: { groups: ['batch'], path: TEMPLATE },
  CronJob: { groups: ['batch'], path: ['spec', 'jobTemplate', 'spec', 'template'] },
};

/** Where objects of a kind keep what is shaped like a pod, whatever their group; `spec.template` in kinds we do not know. */
export function podPathOf(kind: string): readonly string[] {
  return (Object.hasOwn(KINDS, kind) ? KINDS[kind]?.path : undefined) ?? TEMPLATE;
}

/** The lists of a pod's specification whose members name images, and how messages call these. */
export const CONTAINER_LISTS: readonly (readonly [field: string, place: ImagePlace])[] = [
  ['containers', 'container'],
  ['initContainers', 'initContainer'],
  ['ephemeralContainers', 'ephemeralContainer'],
];

/** True for the kinds whose images are judged. */
export function isWorkload(apiVersion: string, kind: string): boolean {
  return workloadKind(apiVersion, kind) !== undefined;
}

/** What a workload makes pods of (or the pod itself): an object with `metadata` and `spec`. Undefined for other kinds. */
export function podIn(object: unknown): Readonly<Record<string, unknown>> | undefined {
  if (!isRecord(object)) return undefined;
  const { apiVersion, kind } = object;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return undefined;
  const workload = workloadKind(apiVersion, kind);
  if (workload === undefined) return undefined;
  const pod = fieldAt(object, ...workload.path);
  return isRecord(pod) ? pod : undefined;
}

/**
 * All images of a workload or of its pod template: containers, init and ephemeral containers, image volumes, in this
 * order. Empty for other kinds; anything of the wrong shape is passed over (the API server has validated real objects).
 */
export function imagesOf(object: unknown): WorkloadImage[] {
  return imagesIn(podIn(object));
}

/** The images of anything shaped like a pod, see `imagesOf`. */
export function imagesIn(pod: unknown): WorkloadImage[] {
  const spec = specOf(pod);
  if (spec === undefined) return [];
  const found: WorkloadImage[] = [];
  for (const [field, place] of CONTAINER_LISTS) {
    for (const { name, image } of recordsIn(spec[field])) {
      if (typeof image === 'string' && image !== '') found.push({ place, name: text(name), image });
    }
  }
  for (const { name, image } of recordsIn(spec['volumes'])) {
    const reference = isRecord(image) ? image['reference'] : undefined;
    if (typeof reference === 'string' && reference !== '') {
      found.push({ place: 'volume', name: text(name), image: reference });
    }
  }
  return found;
}

/** What Gatekeeper's library can speak of: named containers of whatever has them in `spec`, empty images too, no volumes. */
export function libraryImagesIn(object: unknown): WorkloadImage[] {
  const spec = specOf(object);
  if (spec === undefined) return [];
  return CONTAINER_LISTS.flatMap(([field, place]) =>
    recordsIn(spec[field]).flatMap(({ name, image }) =>
      typeof name === 'string' && typeof image === 'string' ? { place, name, image } : [],
    ),
  );
}

/** The parsed images of an object, each once; what cannot be parsed is left out. None of an object that has more than `most`. */
export function referencesOf(object: unknown, most: number): Reference[] {
  const images = imagesOf(object);
  if (images.length > most) return [];
  const references: Reference[] = [];
  // Asked for every review, and most name one image: a set costs more than all the rest.
  const seen = images.length > 1 ? new Set<string>() : undefined;
  for (const { image } of images) {
    if (seen?.has(image)) continue;
    seen?.add(image);
    const reference = parseReferenceOnce(image);
    if (reference !== undefined) references.push(reference);
  }
  return references;
}

const NOTHING: readonly Record<string, unknown>[] = [];

function specOf(pod: unknown): Readonly<Record<string, unknown>> | undefined {
  const spec = fieldAt(pod, 'spec');
  return isRecord(spec) ? spec : undefined;
}

function recordsIn(value: unknown): readonly Record<string, unknown>[] {
  if (!Array.isArray(value)) return NOTHING;
  return value.every(isRecord) ? value : value.filter(isRecord);
}

function workloadKind(apiVersion: string, kind: string): WorkloadKind | undefined {
  const known = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  return known?.groups.includes(groupOf(apiVersion)) ? known : undefined;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
