import { type Reference, tryParseReference } from '../oci/reference.ts';
import { groupOf } from './kubernetes-object.ts';

/** Where in a pod an image is named. */
type ImagePlace = 'container' | 'initContainer' | 'ephemeralContainer' | 'volume';

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
  /** Path from the object to its pod specification. */
  readonly path: readonly string[];
}

const TEMPLATE = ['spec', 'template', 'spec'];
/** Kinds that run pods. `extensions` is the group they had before `apps`. */
const KINDS: Readonly<Record<string, WorkloadKind>> = {
  Pod: { groups: [''], path: ['spec'] },
  PodTemplate: { groups: [''], path: ['template', 'spec'] },
  ReplicationController: { groups: [''], path: TEMPLATE },
  ReplicaSet: { groups: ['apps', 'extensions'], path: TEMPLATE },
  Deployment: { groups: ['apps', 'extensions'], path: TEMPLATE },
  StatefulSet: { groups: ['apps', 'extensions'], path: TEMPLATE },
  DaemonSet: { groups: ['apps', 'extensions'], path: TEMPLATE },
  Job: { groups: ['batch'], path: TEMPLATE },
  CronJob: { groups: ['batch'], path: ['spec', 'jobTemplate', 'spec', 'template', 'spec'] },
};

const LISTS: readonly (readonly [field: string, place: ImagePlace])[] = [
  ['containers', 'container'],
  ['initContainers', 'initContainer'],
  ['ephemeralContainers', 'ephemeralContainer'],
];

/** True for the kinds whose images are judged. */
export function isWorkload(apiVersion: string, kind: string): boolean {
  return Object.hasOwn(KINDS, kind) && (KINDS[kind]?.groups.includes(groupOf(apiVersion)) ?? false);
}

/**
 * All images of a workload or of its pod template: containers, init and ephemeral containers, image volumes, in this
 * order. Empty for other kinds; anything of the wrong shape is passed over (the API server has validated real objects).
 */
export function imagesOf(object: unknown): WorkloadImage[] {
  if (!isRecord(object)) return [];
  const { apiVersion, kind } = object;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || !isWorkload(apiVersion, kind)) return [];
  let spec: unknown = object;
  for (const step of KINDS[kind]?.path ?? []) {
    spec = isRecord(spec) && Object.hasOwn(spec, step) ? spec[step] : undefined;
  }
  if (!isRecord(spec)) return [];
  const found: WorkloadImage[] = [];
  for (const [field, place] of LISTS) {
    for (const container of recordsIn(spec[field])) {
      const { name, image } = container;
      if (typeof image === 'string' && image !== '') found.push({ place, name: text(name), image });
    }
  }
  for (const volume of recordsIn(spec['volumes'])) {
    const reference = isRecord(volume['image']) ? volume['image']['reference'] : undefined;
    if (typeof reference === 'string' && reference !== '') {
      found.push({ place: 'volume', name: text(volume['name']), image: reference });
    }
  }
  return found;
}

/** The parsed images of some objects, each once; what cannot be parsed is left out. */
export function referencesOf(objects: readonly unknown[]): Reference[] {
  const texts = new Set(objects.flatMap((object) => imagesOf(object).map(({ image }) => image)));
  return [...texts].flatMap((text) => tryParseReference(text) ?? []);
}

function recordsIn(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
