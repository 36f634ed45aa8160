import { type Digest, tryParseDigest } from '../oci/digest.ts';
import { type Descriptor, parseManifest } from '../oci/manifest.ts';
import { isForeignLayer } from '../oci/media-types.ts';
import type { ByteSource } from '../platform/streams.ts';
import { UpstreamError } from './errors.ts';
import type { ManifestContent, RegistryClient } from './registry-client.ts';

/** One end of a copy. */
export interface CopyEnd {
  readonly client: RegistryClient;
  readonly repository: string;
  /** Tag or digest. */
  readonly reference: string;
}

export interface CopyProgress {
  /** Bytes that are at the target now, found there or sent. */
  readonly done: number;
  /** Bytes of everything known so far. */
  readonly total: number;
}

export interface CopyResult {
  readonly digest: Digest;
  readonly manifests: number;
  readonly bytesSent: number;
  /** What the target said about the copy, e.g. its verdict. */
  readonly warnings: readonly string[];
}

const BLOBS_AT_ONCE = 3;
const DEEPEST = 4;
const MOST_MANIFESTS = 1000;

/**
 * Copies one image byte for byte, an index with all its platforms and attestations: blobs first, manifests from the leaves
 * up, the tag last. What the target has is not sent. Throws `UpstreamError`, `ManifestError`.
 */
export async function copyImage(
  from: CopyEnd,
  to: CopyEnd,
  onProgress: (progress: CopyProgress) => void,
): Promise<CopyResult> {
  const manifests = await collect(from);
  const [root] = manifests;
  if (!root) throw new UpstreamError('not_found', `${from.client.host} has no ${from.repository}:${from.reference}`);
  const blobs = [...new Map(manifests.flatMap(blobsOf).map((blob) => [blob.digest, blob])).values()];
  const progress = { done: 0, total: blobs.reduce((sum, blob) => sum + blob.size, 0) };
  const report = (bytes: number) => {
    progress.done += bytes;
    onProgress({ ...progress });
  };
  report(0);

  let bytesSent = 0;
  const queue = [...blobs];
  const worker = async () => {
    for (let blob = queue.shift(); blob; blob = queue.shift()) bytesSent += await copyBlob(from, to, blob, report);
  };
  await Promise.all(Array.from({ length: BLOBS_AT_ONCE }, worker));

  let warnings: readonly string[] = [];
  for (const manifest of manifests.toReversed()) {
    const reference = manifest === root ? to.reference : manifest.digest;
    warnings = await to.client.putManifest(to.repository, reference, manifest.mediaType, manifest.content);
  }
  return { digest: root.digest, manifests: manifests.length, bytesSent, warnings };
}

/** The manifest and everything below it; parents before children. */
async function collect(from: CopyEnd): Promise<ManifestContent[]> {
  const found = new Map<Digest, ManifestContent>();
  let level: readonly string[] = [from.reference];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > DEEPEST)
      throw new UpstreamError('invalid_response', `${from.repository} nests indexes more than ${DEEPEST} deep`);
    const next: string[] = [];
    for (const reference of level) {
      if (found.has(reference as Digest)) continue;
      const manifest = await from.client.getManifest(from.repository, reference);
      if (!manifest) throw new UpstreamError('not_found', missing(from, reference));
      found.set(manifest.digest, manifest);
      if (found.size > MOST_MANIFESTS)
        throw new UpstreamError('invalid_response', `${from.repository} has more than ${MOST_MANIFESTS} manifests`);
      next.push(...parseManifest(manifest.content, manifest.mediaType).children.map((child) => child.digest));
    }
    level = next;
  }
  return [...found.values()];
}

function missing(from: CopyEnd, reference: string): string {
  const separator = tryParseDigest(reference) ? '@' : ':';
  return `${from.client.host} has no ${from.repository}${separator}${reference}`;
}

function blobsOf(manifest: ManifestContent): readonly Descriptor[] {
  const { config, layers } = parseManifest(manifest.content, manifest.mediaType);
  return [...(config ? [config] : []), ...layers.filter((layer) => !isForeignLayer(layer.mediaType))];
}

/** Gives the number of bytes sent; 0 when the target had the blob. */
async function copyBlob(
  from: CopyEnd,
  to: CopyEnd,
  blob: Descriptor,
  report: (bytes: number) => void,
): Promise<number> {
  if (await to.client.hasBlob(to.repository, blob.digest)) {
    report(blob.size);
    return 0;
  }
  const source = await from.client.getBlob(from.repository, blob.digest);
  if (!source)
    throw new UpstreamError('not_found', `${from.client.host} has no blob ${blob.digest} in ${from.repository}`);
  await to.client.putBlob(to.repository, blob.digest, blob.size, counted(source.content, report));
  return blob.size;
}

async function* counted(source: ByteSource, report: (bytes: number) => void): ByteSource {
  for await (const chunk of source) {
    report(chunk.byteLength);
    yield chunk;
  }
}
