import { digestOf } from '../oci/digest.ts';
import { parseManifest } from '../oci/manifest.ts';
import { readBounded } from '../platform/streams.ts';
import type { Referrers } from '../scanner/vex/from-referrers.ts';
import { UpstreamError } from './errors.ts';
import type { RegistryClient } from './registry-client.ts';

/** What is attached to the images of a repository, as VEX is read from it. Throws `UpstreamError`, `ManifestError`. */
export function registryReferrers(
  client: Pick<RegistryClient, 'host' | 'getReferrers' | 'getManifest' | 'getBlob'>,
  repository: string,
): Referrers {
  return {
    async list(subject) {
      const index = await client.getReferrers(repository, subject);
      return index === undefined ? [] : parseManifest(index.content, index.mediaType).children;
    },
    async layers(artifact) {
      const found = await client.getManifest(repository, artifact);
      if (found === undefined) return { layers: [] };
      const { artifactType, layers } = parseManifest(found.content, found.mediaType);
      return { ...(artifactType === undefined ? {} : { artifactType }), layers };
    },
    async blob(digest, limit) {
      const blob = await client.getBlob(repository, digest);
      if (!blob) throw new UpstreamError('not_found', `${client.host} has no blob ${digest} in ${repository}`);
      const bytes = await readBounded(blob.content, limit, `blob ${digest}`);
      const actual = digestOf(bytes, digest.startsWith('sha512:') ? 'sha512' : 'sha256');
      if (actual !== digest)
        throw new UpstreamError('invalid_response', `${client.host} gave ${actual} for the blob ${digest}`);
      return bytes;
    },
  };
}
