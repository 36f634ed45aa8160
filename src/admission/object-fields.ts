import { fieldAt, isRecord, textAt } from '../platform/json-object.ts';

/** The owner that manages an object, as the object itself says. */
export interface ControllerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

export function kindOf(object: unknown): string {
  return textAt(object, 'kind');
}

export function uidOf(object: unknown): string {
  return textAt(object, 'metadata', 'uid');
}

export function nameOf(object: unknown): string {
  return textAt(object, 'metadata', 'name');
}

export function isBeingDeleted(object: unknown): boolean {
  return textAt(object, 'metadata', 'deletionTimestamp') !== '';
}

/** The text of an annotation of the object; undefined when it has none. */
export function annotationOf(object: unknown, key: string): string | undefined {
  const value = fieldAt(object, 'metadata', 'annotations', key);
  return typeof value === 'string' ? value : undefined;
}

/** `spec.nodeName` of a pod. */
export function nodeNameOf(pod: unknown): string {
  return textAt(pod, 'spec', 'nodeName');
}

/** The pod template of a workload, or of the jobs that a CronJob makes; undefined for kinds without. */
export function templateOf(object: unknown): Readonly<Record<string, unknown>> | undefined {
  const job = fieldAt(object, 'spec', 'jobTemplate', 'spec', 'template');
  return [fieldAt(object, 'spec', 'template'), job, fieldAt(object, 'template')].find(isRecord);
}

/** The owner reference marked as controller; undefined when there is none, or more than one, which is no valid object. */
export function controllerOf(object: unknown): ControllerReference | undefined {
  const references = fieldAt(object, 'metadata', 'ownerReferences');
  if (!Array.isArray(references)) return undefined;
  const controllers = references.filter((reference) => fieldAt(reference, 'controller') === true);
  const [one] = controllers;
  if (one === undefined || controllers.length > 1) return undefined;
  return {
    apiVersion: textAt(one, 'apiVersion'),
    kind: textAt(one, 'kind'),
    name: textAt(one, 'name'),
    uid: textAt(one, 'uid'),
  };
}
