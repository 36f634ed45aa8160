import type { Reference } from '../oci/reference.ts';

/** A text that is equal exactly for equal references. */
export function toCanonical({ registry, repository, tag, digest }: Reference): string {
  return `${registry}/${repository}:${tag ?? ''}@${digest ?? ''}`;
}
