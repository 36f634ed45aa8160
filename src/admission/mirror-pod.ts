import { annotationOf, kindOf, nodeNameOf } from './object-fields.ts';
import type { AdmissionRequest } from './parse-review.ts';

const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';
const NODE_PREFIX = 'system:node:';
const NODES_GROUP = 'system:nodes';

/** The pod says that it is the picture of a static pod. Anybody can write that; see `isMirrorPod`. */
export function claimsToBeMirrorPod(object: unknown): boolean {
  return kindOf(object) === 'Pod' && annotationOf(object, MIRROR_ANNOTATION) !== undefined;
}

/**
 * A node shows a static pod that it runs already: to deny that stops nothing and only hides it. True only for the node's
 * own identity and a pod on that node.
 */
export function isMirrorPod({ object, userInfo }: AdmissionRequest): boolean {
  if (!claimsToBeMirrorPod(object)) return false;
  const node = nodeNameOf(object);
  return node !== '' && userInfo?.username === `${NODE_PREFIX}${node}` && userInfo.groups.includes(NODES_GROUP);
}
