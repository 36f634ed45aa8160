/** The manifest media types the registry stores (image-spec v1.1 and Docker's image manifest v2, schema 2). */
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_ARTIFACT_MANIFEST = 'application/vnd.oci.artifact.manifest.v1+json';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_MANIFEST_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';

export const MANIFEST_MEDIA_TYPES: readonly string[] = [
  OCI_MANIFEST,
  OCI_INDEX,
  DOCKER_MANIFEST,
  DOCKER_MANIFEST_LIST,
  OCI_ARTIFACT_MANIFEST,
];

/**
 * Config types that container runtimes take for an image. The last three are not images by name, but Docker runs what
 * carries them (moby, `distribution/registry.go`, default image types), so neither may slip past a gate.
 */
const RUNNABLE_CONFIGS: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
  'application/octet-stream',
  'application/json',
  'text/html',
]);

export function isIndexType(mediaType: string): boolean {
  return mediaType === OCI_INDEX || mediaType === DOCKER_MANIFEST_LIST;
}

export function isManifestType(mediaType: string): boolean {
  return MANIFEST_MEDIA_TYPES.includes(mediaType);
}

/** True when a runtime would start a container from a manifest with this config. */
export function isRunnableConfig(mediaType: string): boolean {
  return RUNNABLE_CONFIGS.has(mediaType);
}

/** Layers that are fetched from elsewhere and need not be stored here (image-spec, "Non-Distributable Layers"). */
export function isForeignLayer(mediaType: string): boolean {
  return (
    mediaType.startsWith('application/vnd.oci.image.layer.nondistributable.') ||
    mediaType.startsWith('application/vnd.docker.image.rootfs.foreign.')
  );
}

/** Statements about an image that are stored as its "layers": in-toto and cosign documents, never a file system. */
export function isStatementLayer(mediaType: string): boolean {
  return (
    mediaType.startsWith('application/vnd.in-toto') ||
    mediaType.startsWith('application/vnd.dsse.') ||
    mediaType.startsWith('application/vnd.dev.cosign.') ||
    mediaType.startsWith('application/vnd.dev.sigstore.')
  );
}

/** The media type of a Content-Type header: parameters dropped, lower case; undefined when there is none. */
export function mediaTypeOf(contentType: string | undefined): string | undefined {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  return type === '' ? undefined : type;
}
