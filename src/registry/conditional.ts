import type { Digest } from '../oci/digest.ts';

/** The entity tag of content: its digest, so it is strong and the same everywhere. */
export function etagOf(digest: Digest): string {
  return `"${digest}"`;
}

/** True when `If-None-Match` says the client has this content already (RFC 9110 §13.1.2): the reply is 304. */
export function isUnchanged(ifNoneMatch: string | undefined, digest: Digest): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.split(',').some((entry) => {
    const tag = entry.trim().replace(/^W\//, '');
    // Some clients send the bare digest.
    return tag === '*' || tag === digest || tag === etagOf(digest);
  });
}

/** False when `If-Range` names other content: the whole must be sent (RFC 9110 §13.1.5). */
export function rangeApplies(ifRange: string | undefined, digest: Digest): boolean {
  return ifRange === undefined || ifRange.trim() === etagOf(digest);
}
