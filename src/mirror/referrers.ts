import { parseManifest } from '../oci/manifest.ts';
import { isIndexType } from '../oci/media-types.ts';
import { CodedError } from '../platform/errors.ts';
import type { ReferrerDescriptor } from '../registry/ports.ts';
import { UpstreamError } from './errors.ts';
import type { ManifestContent } from './registry-client.ts';

interface Entry {
  readonly artifactType?: unknown;
  readonly annotations?: unknown;
}

/** The entries of an upstream's referrers list, of which only what the specification names. Throws `UpstreamError`. */
export function readReferrers(index: Pick<ManifestContent, 'content' | 'mediaType'>): ReferrerDescriptor[] {
  // Under the tag of the old schema may lie anything; what is no index lists nothing.
  if (!isIndexType(index.mediaType)) return [];
  try {
    const { children } = parseManifest(index.content, index.mediaType);
    const { manifests } = JSON.parse(index.content.toString()) as { manifests?: readonly Entry[] | null };
    return children.map(({ mediaType, digest, size }, at) => {
      const { artifactType, annotations } = manifests?.[at] ?? {};
      return {
        mediaType,
        digest,
        size,
        ...(typeof artifactType === 'string' && artifactType !== '' ? { artifactType } : {}),
        ...(isTexts(annotations) ? { annotations } : {}),
      };
    });
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    throw new UpstreamError('invalid_response', `the upstream's list of referrers is not one: ${error.message}`, {
      cause: error,
    });
  }
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((text: unknown) => typeof text === 'string')
  );
}
