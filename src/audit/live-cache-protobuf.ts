import type { AuditedKind } from '../constraints/paths.ts';
import type { WorkloadImage } from '../constraints/workload.ts';
import { ProtoCursor, textOf } from '../kubernetes/protobuf.ts';
import { HeldWorkload, type Labels, NO_IMAGES, NO_LABELS } from './held-workload.ts';
import type { SharedParts } from './live-cache-shared.ts';
import { type ReportedStatus, reportedContainers } from './reported-containers.ts';

/** Field numbers of `k8s.io/api`: they never change, that is what protobuf is about. */
const METADATA = 1;
const SPEC = 2;
const STATUS = 3;

/** Fields that lead from an object to the template of its pods, and the field of its spec that counts replicas. */
interface TemplatePath {
  readonly template: readonly number[];
  readonly replicas?: number;
}

const TEMPLATES: Readonly<Record<string, TemplatePath>> = {
  PodTemplate: { template: [2] },
  ReplicationController: { template: [SPEC, 3] },
  ReplicaSet: { template: [SPEC, 3], replicas: 1 },
  Deployment: { template: [SPEC, 3] },
  StatefulSet: { template: [SPEC, 3] },
  DaemonSet: { template: [SPEC, 2] },
  Job: { template: [SPEC, 6] },
  // spec.jobTemplate.spec.template
  CronJob: { template: [SPEC, 5, 2, 6] },
};

/** Reads objects of one kind from protobuf; undefined for kinds that have no such form. */
export function protobufReader(of: AuditedKind, parts: SharedParts): ((object: Buffer) => HeldWorkload) | undefined {
  const path = TEMPLATES[of.kind];
  if (of.kind === 'Pod') return (object) => readPod(object, of, parts);
  return path && ((object) => readTemplated(object, of, parts, path));
}

function readPod(object: Buffer, of: AuditedKind, parts: SharedParts): HeldWorkload {
  const held = new HeldWorkload(of);
  const pod = new ProtoCursor(object);
  while (pod.next()) {
    if (pod.field === METADATA) readMetadata(pod.inner(), held, parts);
    else if (pod.field === SPEC) held.images = readImages(pod.inner(), parts);
    else if (pod.field === STATUS) readStatus(pod.inner(), held, parts);
  }
  return held;
}

function readTemplated(object: Buffer, of: AuditedKind, parts: SharedParts, path: TemplatePath): HeldWorkload {
  const held = new HeldWorkload(of);
  const top = new ProtoCursor(object);
  // The default of the API server is 1; a 0 is always written out.
  let replicas = 1;
  const descend = (cursor: ProtoCursor, depth: number): void => {
    while (cursor.next()) {
      if (depth === 0 && cursor.field === METADATA) readMetadata(cursor.inner(), held, parts);
      else if (depth === 1 && cursor.field === path.replicas) replicas = cursor.number();
      else if (cursor.field === path.template[depth]) {
        if (depth === path.template.length - 1) readTemplate(cursor.inner(), held, parts);
        else descend(cursor.inner(), depth + 1);
      }
    }
  };
  descend(top, 0);
  held.retired = of.kind === 'ReplicaSet' && replicas === 0;
  return held;
}

function readTemplate(template: ProtoCursor, held: HeldWorkload, parts: SharedParts): void {
  while (template.next()) {
    if (template.field === 2) held.images = readImages(template.inner(), parts);
    else if (template.field === METADATA) {
      const metadata = template.inner();
      const labels = new LabelEntries();
      while (metadata.next()) if (metadata.field === 11) labels.take(metadata);
      held.templateLabels = labels.shared(parts);
    }
  }
}

function readMetadata(metadata: ProtoCursor, held: HeldWorkload, parts: SharedParts): void {
  const labels = new LabelEntries();
  while (metadata.next()) {
    switch (metadata.field) {
      case 1:
        held.name = metadata.text();
        break;
      case 2:
        held.generateName = metadata.text();
        break;
      case 3: {
        const namespace = metadata.text();
        held.namespace = parts.namespaces.get(namespace, () => namespace);
        break;
      }
      case 5:
        held.uid = metadata.text();
        break;
      case 8:
        held.createdAt = timeOf(metadata.inner());
        break;
      case 11:
        labels.take(metadata);
        break;
      case 13:
        readOwner(metadata, held, parts);
        break;
      default:
    }
  }
  held.labels = labels.shared(parts);
}

function readOwner(reference: ProtoCursor, held: HeldWorkload, parts: SharedParts): void {
  let [uid, kind, name, controls] = ['', '', '', false];
  const owner = reference.inner();
  while (owner.next()) {
    if (owner.field === 1) kind = owner.text();
    else if (owner.field === 3) name = owner.text();
    else if (owner.field === 4) uid = owner.text();
    else if (owner.field === 6) controls = owner.number() === 1;
  }
  if (controls) held.owner = parts.owners.get(`${uid}\n${kind}\n${name}`, () => ({ uid, kind, name }));
}

/** `metav1.Time`: seconds since the epoch. */
function timeOf(time: ProtoCursor): number {
  let seconds = 0;
  while (time.next()) if (time.field === 1) seconds = time.number();
  return seconds * 1000;
}

/** The entries of a map of labels: only a set that was not seen before is read. */
class LabelEntries {
  #key = '';
  readonly #entries: ProtoCursor[] = [];

  take(cursor: ProtoCursor): void {
    this.#key += `${cursor.key()}\0`;
    this.#entries.push(cursor.inner());
  }

  shared(parts: SharedParts): Labels {
    return this.#entries.length === 0 ? NO_LABELS : parts.labels.get(this.#key, () => this.#read());
  }

  #read(): Labels {
    const pairs = this.#entries.map((entry): [string, string] => {
      let [key, value] = ['', ''];
      while (entry.next()) {
        if (entry.field === 1) key = entry.text();
        else if (entry.field === 2) value = entry.text();
      }
      return [key, value];
    });
    return Object.freeze(Object.fromEntries(pairs));
  }
}

function readImages(spec: ProtoCursor, parts: SharedParts): readonly WorkloadImage[] {
  const containers: string[] = [];
  const initial: string[] = [];
  const ephemeral: string[] = [];
  const volumes: string[] = [];
  while (spec.next()) {
    if (spec.field === 2) take(containers, spec.inner(), 'container');
    else if (spec.field === 20) take(initial, spec.inner(), 'initContainer');
    else if (spec.field === 34) {
      const container = spec.inner();
      while (container.next()) if (container.field === 1) take(ephemeral, container.inner(), 'ephemeralContainer');
    } else if (spec.field === 1) takeVolume(volumes, spec.inner());
  }
  const all = [...containers, ...initial, ...ephemeral, ...volumes];
  if (all.length === 0) return NO_IMAGES;
  return parts.images.get(all.join('\n'), () => Object.freeze(all.map((key) => imageOf(key, parts))));
}

function take(found: string[], container: ProtoCursor, place: WorkloadImage['place']): void {
  let [name, image] = ['', ''];
  while (container.next()) {
    if (container.field === 1) name = container.text();
    else if (container.field === 2) image = container.text();
  }
  if (image !== '') found.push(`${place}\0${name}\0${image}`);
}

function takeVolume(found: string[], volume: ProtoCursor): void {
  let [name, reference] = ['', ''];
  while (volume.next()) {
    if (volume.field === 1) name = volume.text();
    else if (volume.field === 2) {
      const source = volume.inner();
      while (source.next()) if (source.field === 30) reference = textOf(source.inner(), 1);
    }
  }
  if (reference !== '') found.push(`volume\0${name}\0${reference}`);
}

function imageOf(key: string, parts: SharedParts): WorkloadImage {
  return parts.image.get(key, () => {
    const [place = '', name = '', image = ''] = key.split('\0');
    return Object.freeze({ place: place as WorkloadImage['place'], name, image });
  });
}

function readStatus(status: ProtoCursor, held: HeldWorkload, parts: SharedParts): void {
  const found: ReportedStatus[] = [];
  while (status.next()) {
    if (status.field === 1) held.phase = phaseOf(status.text());
    else if (status.field === 8 || status.field === 10 || status.field === 13)
      found.push(readContainerStatus(status.inner()));
  }
  const { reported, runningSince } = reportedContainers(found, parts);
  held.reported = reported;
  held.runningSince = runningSince;
}

function readContainerStatus(status: ProtoCursor): ReportedStatus {
  const found = { name: '', imageId: '', startedAt: 0 };
  while (status.next()) {
    if (status.field === 1) found.name = status.text();
    else if (status.field === 7) found.imageId = status.text();
    else if (status.field === 2) {
      const state = status.inner();
      while (state.next()) {
        if (state.field !== 2) continue;
        const running = state.inner();
        while (running.next()) if (running.field === 1) found.startedAt = timeOf(running.inner());
      }
    }
  }
  return found;
}

/** Phases are few: a constant for each instead of a text for each pod. */
const PHASES = ['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'];
function phaseOf(text: string): string {
  return PHASES.find((phase) => phase === text) ?? text;
}
