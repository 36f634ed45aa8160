import type { DigestLookup } from '../constraints/image-facts.ts';
import { parseReferenceOnce } from '../constraints/reference-memory.ts';
import { CONTAINER_LISTS, podPathOf } from '../constraints/workload.ts';
import type { Reference } from '../oci/reference.ts';
import { fieldAt, isRecord } from '../platform/json-object.ts';
import { claimsToBeMirrorPod } from './mirror-pod.ts';
import { controllerOf, isBeingDeleted, kindOf } from './object-fields.ts';
import type { AdmissionRequest } from './parse-review.ts';

export interface PinningOptions {
  /** Also in what makes pods. Tools that compare the cluster with files then see a difference. */
  readonly templates: boolean;
}

/** One step of a JSON patch (RFC 6902). */
export interface PatchOperation {
  readonly op: 'replace';
  readonly path: string;
  readonly value: string;
}

/** An image text and where in the object it stands, as a JSON pointer. */
interface PlacedImage {
  readonly path: string;
  readonly image: string;
}

/**
 * Puts `@sha256:…` behind the tags whose digest is known here, and changes nothing else: not what has a digest, not what
 * is foreign, not what the object had before an update (a running pod would be restarted), and not what a controller
 * makes from a template: a Deployment looks for a ReplicaSet that equals its template and would make them without end.
 * An update that writes a pinned tag without its digest keeps the digest. Doing it again changes nothing.
 */
export function pinImages(
  digests: DigestLookup,
  request: AdmissionRequest,
  { templates }: PinningOptions,
): PatchOperation[] {
  const { object, oldObject, operation } = request;
  if ((operation !== 'CREATE' && operation !== 'UPDATE') || !object) return [];
  const isPod = kindOf(object) === 'Pod';
  if (isBeingDeleted(object) || claimsToBeMirrorPod(object)) return [];
  if (!isPod && (!templates || controllerOf(object) !== undefined)) return [];
  const before = new Set(operation === 'UPDATE' ? placedImages(oldObject).map(({ image }) => image) : []);
  const pinned = new Map<string, string>();
  for (const image of before) {
    const at = image.indexOf('@');
    if (at > 0) pinned.set(image.slice(0, at), image);
  }
  return placedImages(object).flatMap(({ path, image }) => {
    if (image.includes('@') || before.has(image)) return [];
    const value = pinned.get(image) ?? withDigest(digests, image);
    return value === undefined ? [] : [{ op: 'replace' as const, path, value }];
  });
}

/** The references of a request whose digests pinning needs. */
export function pinnableReferences({ object }: AdmissionRequest): Reference[] {
  const texts = new Set(placedImages(object).map(({ image }) => image));
  return [...texts].flatMap((text) => (text.includes('@') ? [] : (parseReferenceOnce(text) ?? [])));
}

/** The response to a mutating review. */
export interface PinningResponse {
  readonly uid: string;
  readonly allowed: true;
  readonly patchType?: 'JSONPatch';
  /** Base64. */
  readonly patch?: string;
}

export function pinningResponse(uid: string, operations: readonly PatchOperation[]): PinningResponse {
  if (operations.length === 0) return { uid, allowed: true };
  const patch = Buffer.from(JSON.stringify(operations)).toString('base64');
  return { uid, allowed: true, patchType: 'JSONPatch', patch };
}

function withDigest(digests: DigestLookup, image: string): string | undefined {
  const reference = parseReferenceOnce(image);
  const digest = reference && digests.digestOf(reference);
  return digest === undefined ? undefined : `${image}@${digest}`;
}

function placedImages(object: unknown): PlacedImage[] {
  const steps = [...podPathOf(kindOf(object)), 'spec'];
  const spec = fieldAt(object, ...steps);
  if (!isRecord(spec)) return [];
  const at = `/${steps.join('/')}`;
  const found: PlacedImage[] = [];
  for (const [list] of CONTAINER_LISTS) {
    for (const [index, container] of listOf(spec[list]).entries()) {
      const image = fieldAt(container, 'image');
      if (typeof image === 'string') found.push({ path: `${at}/${list}/${index}/image`, image });
    }
  }
  for (const [index, volume] of listOf(spec['volumes']).entries()) {
    const image = fieldAt(volume, 'image', 'reference');
    if (typeof image === 'string') found.push({ path: `${at}/volumes/${index}/image/reference`, image });
  }
  return found;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
