import type { Json } from './stage.ts';

/** Kinds that run pods. */
export const KINDS = [
  'Pod',
  'PodTemplate',
  'ReplicationController',
  'ReplicaSet',
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'Job',
  'CronJob',
] as const;
export type Kind = (typeof KINDS)[number];

/** Where an object of any kind can be created with an image. */
export const PLACES = ['container', 'initContainer', 'imageVolume'] as const;
export type Place = (typeof PLACES)[number] | 'ephemeralContainer';

const GOOD = 'harbor.cksc.a1ck.io/front/pause@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** A pod specification whose only questionable image stands in that place, under that name. */
export function podSpec(place: Place, name: string, image: string): Json {
  const container = { name, image };
  const filler = { name: 'good', image: GOOD };
  switch (place) {
    case 'container':
      return { containers: [container] };
    case 'initContainer':
      return { initContainers: [container], containers: [filler] };
    case 'ephemeralContainer':
      return { containers: [filler], ephemeralContainers: [container] };
    case 'imageVolume':
      return {
        containers: [{ ...filler, volumeMounts: [{ name, mountPath: '/data' }] }],
        volumes: [{ name, image: { reference: image } }],
      };
  }
}

/** A workload of a kind around a pod specification. */
export function workload(kind: Kind, name: string, spec: Json, metadata: Json = {}): Json {
  const labels = { app: name };
  const about = { name, namespace: 'default', ...metadata };
  const template = { metadata: { labels }, spec };
  const finite = { ...template, spec: { ...spec, restartPolicy: 'Never' } };
  const selector = { matchLabels: labels };
  switch (kind) {
    case 'Pod':
      return { apiVersion: 'v1', kind, metadata: about, spec };
    case 'PodTemplate':
      return { apiVersion: 'v1', kind, metadata: about, template };
    case 'ReplicationController':
      return { apiVersion: 'v1', kind, metadata: about, spec: { selector: labels, template } };
    case 'ReplicaSet':
    case 'Deployment':
    case 'DaemonSet':
      return { apiVersion: 'apps/v1', kind, metadata: about, spec: { selector, template } };
    case 'StatefulSet':
      return { apiVersion: 'apps/v1', kind, metadata: about, spec: { selector, serviceName: name, template } };
    case 'Job':
      return { apiVersion: 'batch/v1', kind, metadata: about, spec: { template: finite } };
    case 'CronJob': {
      const jobTemplate = { spec: { template: finite } };
      return { apiVersion: 'batch/v1', kind, metadata: about, spec: { schedule: '0 3 * * *', jobTemplate } };
    }
  }
}

/** A workload with one container of that image. */
export function simple(kind: Kind, name: string, image: string, metadata: Json = {}): Json {
  return workload(kind, name, podSpec('container', 'main', image), metadata);
}

/** An object as the controller of its owner makes it. */
export function ownedBy(owner: Json, object: Json): Json {
  const { apiVersion, kind, metadata } = owner;
  const { name, uid } = metadata as { name: string; uid: string };
  const reference = { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
  return { ...object, metadata: { ...(object['metadata'] as Json), ownerReferences: [reference] } };
}
