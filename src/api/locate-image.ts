import type { Db } from '../db/database.ts';
import { parseReference } from '../oci/reference.ts';
import { findManifestInfo, type ManifestInfo } from '../registry/manifest-reader.ts';
import { ApiError } from './errors.ts';

/** `front/alpine:3.20` or `front/alpine@sha256:…`. Throws `ImageReferenceError`. */
export function splitImage(image: string): { readonly repository: string; readonly reference: string } {
  // Any host will do: what is asked for is an image of this registry.
  const { repository, tag, digest } = parseReference(`localhost/${image}`);
  return { repository, reference: digest ?? tag ?? 'latest' };
}

/** The manifest that an image names, and the tag or digest by which it does. Throws `ApiError('not_found')`, `ImageReferenceError`. */
export async function locateImage(db: Db, image: string): Promise<ManifestInfo & { readonly reference: string }> {
  const { repository, reference } = splitImage(image);
  const manifest = await findManifestInfo(db, repository, reference);
  if (manifest) return { ...manifest, reference };
  throw new ApiError(
    'not_found',
    `there is no image ${image}; see: breakwater project show ${repository.split('/', 1)[0]}`,
  );
}
