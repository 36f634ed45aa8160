import { createHash } from 'node:crypto';
import { algorithmOf, type Digest, digestFrom, tryParseDigest } from '../oci/digest.ts';
import { type Descriptor, parseManifest } from '../oci/manifest.ts';
import { type ByteSource, readBounded } from '../platform/streams.ts';
import { stepsOfConfig } from '../scanner/image-config.ts';
import type { ImageSource, SourceOptions, StreamedLayer } from '../scanner/image-source.ts';
import { chooseImage } from '../scanner/sources/choose-manifest.ts';
import { UpstreamError } from './errors.ts';
import type { RegistryClient } from './registry-client.ts';

const LARGEST_CONFIG = 4 * 1024 * 1024;

export interface RegistryImage {
  readonly client: RegistryClient;
  readonly repository: string;
  /** Tag or digest. */
  readonly reference: string;
  /** What the user called it. */
  readonly name: string;
}

/**
 * An image in a registry, as the scanner reads it: layers are fetched one by one when they are opened and must have the
 * digest that the manifest gives them. Throws `UpstreamError`, `ManifestError`, `ScanError`.
 */
export async function openRegistryImage(
  image: RegistryImage,
  options: SourceOptions = {},
): Promise<ImageSource<StreamedLayer>> {
  const { client, repository, name } = image;
  const load = async (reference: string) => {
    const found = await client.getManifest(repository, reference);
    if (!found) throw new UpstreamError('not_found', missing(image, reference));
    return { digest: found.digest, manifest: parseManifest(found.content, found.mediaType) };
  };
  const root = await load(image.reference);
  const { manifest, descriptor } = await chooseImage(
    { manifest: root.manifest, what: name },
    async ({ digest }) => (await load(digest)).manifest,
    options.platform,
  );
  const steps = stepsOfConfig(await configOf(image, manifest.config), manifest.layers.length);
  return {
    name,
    digest: descriptor?.digest ?? root.digest,
    layers: manifest.layers.map(({ digest, mediaType }, at) => ({
      digest,
      mediaType,
      ...(steps[at] === undefined ? {} : { createdBy: steps[at] }),
      open: async () => {
        const blob = await client.getBlob(repository, digest);
        if (!blob) throw new UpstreamError('not_found', `${client.host} has no blob ${digest} in ${repository}`);
        return verified(blob.content, digest, client.host);
      },
    })),
    close: () => Promise.resolve(),
  };
}

/** The configuration's bytes; undefined when they cannot be had, as nothing but the steps of the build is read from them. */
async function configOf({ client, repository }: RegistryImage, config: Descriptor | undefined) {
  if (!config || config.size > LARGEST_CONFIG) return undefined;
  try {
    const blob = await client.getBlob(repository, config.digest);
    if (!blob) return undefined;
    return await readBounded(verified(blob.content, config.digest, client.host), LARGEST_CONFIG, 'the configuration');
  } catch {
    return undefined;
  }
}

/** The same bytes; ends with an error when they are not those of the digest. */
async function* verified(source: ByteSource, digest: Digest, host: string): ByteSource {
  const algorithm = algorithmOf(digest);
  const hash = createHash(algorithm);
  for await (const chunk of source) {
    hash.update(chunk);
    yield chunk;
  }
  const actual = digestFrom(algorithm, hash);
  if (actual !== digest) throw new UpstreamError('invalid_response', `${host} gave ${actual} for the blob ${digest}`);
}

function missing({ client, repository }: RegistryImage, reference: string): string {
  const separator = tryParseDigest(reference) ? '@' : ':';
  return `${client.host} has no ${repository}${separator}${reference}`;
}
