import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Digest, digestOf, hexOf } from '../../src/oci/digest.ts';

const V2 = 'docker/registry/v2';
const TYPE = 'application/vnd.oci.image';

export interface DistributionFolder {
  /** What "rootdirectory" of the configuration would name. */
  readonly root: string;
  /** Where something is, below `docker/registry/v2`. */
  at(path: string): string;
  blobPath(digest: Digest): string;
  blob(content: string | Uint8Array): Digest;
  /** Stores a manifest as a push does: content, revision, tag. */
  manifest(repository: string, content: object | Uint8Array, tag?: string): Digest;
  /** An image of a configuration and layers. */
  image(repository: string, layers: readonly (string | Uint8Array)[], tag?: string, additions?: object): Digest;
  index(repository: string, children: readonly Digest[], tag?: string): Digest;
  write(path: string, content: string | Uint8Array): void;
}

const place = (digest: Digest) => `blobs/sha256/${hexOf(digest).slice(0, 2)}/${hexOf(digest)}/data`;

/** Writes a storage folder as CNCF Distribution lays it out. */
export function distributionFolder(root: string): DistributionFolder {
  const at = (path: string) => join(root, V2, path);
  const write = (path: string, content: string | Uint8Array) => {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), content);
  };
  const blob = (content: string | Uint8Array) => {
    const digest = digestOf(content);
    write(place(digest), content);
    return digest;
  };
  const descriptor = (mediaType: string, content: string | Uint8Array) => ({
    mediaType,
    digest: blob(content),
    size: Buffer.byteLength(content),
  });
  const manifest = (repository: string, content: object | Uint8Array, tag?: string) => {
    // Odd white space: these very bytes must arrive.
    const bytes = content instanceof Uint8Array ? content : Buffer.from(`${JSON.stringify(content, null, 3)}\n `);
    const digest = blob(bytes);
    const manifests = `repositories/${repository}/_manifests`;
    write(`${manifests}/revisions/sha256/${hexOf(digest)}/link`, digest);
    if (tag !== undefined) {
      write(`${manifests}/tags/${tag}/current/link`, digest);
      write(`${manifests}/tags/${tag}/index/sha256/${hexOf(digest)}/link`, digest);
    }
    return digest;
  };
  mkdirSync(at('repositories'), { recursive: true });
  return {
    root,
    at,
    write,
    blob,
    manifest,
    blobPath: (digest) => at(place(digest)),
    image: (repository, layers, tag, additions = {}) =>
      manifest(
        repository,
        {
          schemaVersion: 2,
          mediaType: `${TYPE}.manifest.v1+json`,
          config: descriptor(`${TYPE}.config.v1+json`, `{"architecture":"amd64","os":"linux","for":"${repository}"}`),
          layers: layers.map((layer) => descriptor(`${TYPE}.layer.v1.tar`, layer)),
          ...additions,
        },
        tag,
      ),
    index: (repository, children, tag) =>
      manifest(
        repository,
        {
          schemaVersion: 2,
          mediaType: `${TYPE}.index.v1+json`,
          manifests: children.map((digest) => ({ mediaType: `${TYPE}.manifest.v1+json`, digest, size: 1 })),
        },
        tag,
      ),
  };
}
