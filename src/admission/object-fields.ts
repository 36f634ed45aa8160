type Fields = Readonly<Record<string, unknown>>;

/** The owner that manages an object, as the object itself says. */
export interface ControllerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** A field that is an object; empty when it is absent or anything else. Keys of the prototype are no fields. */
function fieldsOf(value: unknown, key: string): Fields {
  const field = own(value, key);
  return isFields(field) ? field : {};
}

export function textOf(value: unknown, key: string): string {
  const field = own(value, key);
  return typeof field === 'string' ? field : '';
}

export function kindOf(object: unknown): string {
  return textOf(object, 'kind');
}

export function uidOf(object: unknown): string {
  return textOf(fieldsOf(object, 'metadata'), 'uid');
}

export function nameOf(object: unknown): string {
  return textOf(fieldsOf(object, 'metadata'), 'name');
}

export function isBeingDeleted(object: unknown): boolean {
  return textOf(fieldsOf(object, 'metadata'), 'deletionTimestamp') !== '';
}

/** The text of an annotation of the object; undefined when it has none. */
export function annotationOf(object: unknown, key: string): string | undefined {
  const value = own(fieldsOf(fieldsOf(object, 'metadata'), 'annotations'), key);
  return typeof value === 'string' ? value : undefined;
}

/** `spec.nodeName` of a pod. */
export function nodeNameOf(pod: unknown): string {
  return textOf(fieldsOf(pod, 'spec'), 'nodeName');
}

/** The pod template of a workload, or of the jobs that a CronJob makes; undefined for kinds without. */
export function templateOf(object: unknown): Fields | undefined {
  const spec = fieldsOf(object, 'spec');
  const job = fieldsOf(fieldsOf(spec, 'jobTemplate'), 'spec');
  return [own(spec, 'template'), own(job, 'template'), own(object, 'template')].find(isFields);
}

/** The owner reference marked as controller; undefined when there is none, or more than one, which is no valid object. */
export function controllerOf(object: unknown): ControllerReference | undefined {
  const references = own(fieldsOf(object, 'metadata'), 'ownerReferences');
  if (!Array.isArray(references)) return undefined;
  const controllers = references.filter((reference) => own(reference, 'controller') === true);
  const [one] = controllers;
  if (one === undefined || controllers.length > 1) return undefined;
  return {
    apiVersion: textOf(one, 'apiVersion'),
    kind: textOf(one, 'kind'),
    name: textOf(one, 'name'),
    uid: textOf(one, 'uid'),
  };
}

function own(value: unknown, key: string): unknown {
  return isFields(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
