import { hexOf } from '../../oci/digest.ts';
import type { SbomSubject } from './input.ts';

/**
 * Package URL of an image, `pkg:oci/alpine@sha256%3A…?repository_url=docker.io%2Flibrary%2Falpine&tag=3.20` (package URL
 * types, `oci`); undefined for what has no manifest.
 */
export function imagePurl({ name, digest, repository, tag }: SbomSubject): string | undefined {
  if (digest === undefined) return undefined;
  const last = (repository ?? name.split(/[@:]/, 1)[0] ?? '').split('/').at(-1)?.toLowerCase() ?? '';
  if (!/^[a-z0-9._-]+$/.test(last)) return undefined;
  const qualifiers = [
    ...(repository === undefined
      ? []
      : [`repository_url=${encodeURIComponent(repository.toLowerCase().toWellFormed())}`]),
    ...(tag === undefined ? [] : [`tag=${encodeURIComponent(tag.toWellFormed())}`]),
  ].join('&');
  const algorithm = digest.slice(0, digest.indexOf(':'));
  return `pkg:oci/${last}@${algorithm}%3A${hexOf(digest)}${qualifiers && `?${qualifiers}`}`;
}
