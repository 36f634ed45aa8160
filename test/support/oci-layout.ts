import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

export interface LayoutOptions {
  /** Gzip-compressed tars of the layers, lowest first. */
  readonly layers: readonly string[];
  readonly architecture?: string;
  /** Name of the image inside the layout, what follows the colon in `oci:FOLDER:NAME`. */
  readonly name: string;
  /** Makes images of the same layers differ. */
  readonly label?: string;
}

const TYPE = 'application/vnd.oci.image';

/** Writes an OCI layout folder (image-spec, "Image Layout") with one image and gives the digest of its manifest. */
export function writeOciLayout(folder: string, options: LayoutOptions): string {
  const put = blobsIn(folder);
  const contents = options.layers.map((path) => readFileSync(path));
  const layers = contents.map((data) => put(data, `${TYPE}.layer.v1.tar+gzip`));
  const config = put(
    json({
      architecture: options.architecture ?? 'amd64',
      os: 'linux',
      config: { Cmd: ['/bin/sh'], ...(options.label === undefined ? {} : { Labels: { label: options.label } }) },
      rootfs: { type: 'layers', diff_ids: contents.map((data) => `sha256:${sha256(gunzipSync(data))}`) },
    }),
    `${TYPE}.config.v1+json`,
  );
  const manifest = put(
    json({ schemaVersion: 2, mediaType: `${TYPE}.manifest.v1+json`, config, layers }),
    `${TYPE}.manifest.v1+json`,
  );
  const entry = { ...manifest, annotations: { 'org.opencontainers.image.ref.name': options.name } };
  writeFileSync(join(folder, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
  writeFileSync(
    join(folder, 'index.json'),
    json({ schemaVersion: 2, mediaType: `${TYPE}.index.v1+json`, manifests: [entry] }),
  );
  return manifest.digest;
}

/** An index as BuildKit pushes it: an image, and a manifest of attestations for a platform that nobody has. Gives the digest of the index. */
export function writeIndexLayout(folder: string, options: LayoutOptions): string {
  const image = writeOciLayout(folder, options);
  const put = blobsIn(folder);
  const statement = {
    _type: 'https://in-toto.io/Statement/v0.1',
    predicateType: 'https://slsa.dev/provenance/v0.2',
    subject: [{ name: options.name, digest: { sha256: image.slice(7) } }],
    predicate: { buildType: 'test' },
  };
  const layer = {
    ...put(json(statement), 'application/vnd.in-toto+json'),
    annotations: { 'in-toto.io/predicate-type': statement.predicateType },
  };
  const config = put(
    json({ architecture: 'unknown', os: 'unknown', config: {}, rootfs: { type: 'layers', diff_ids: [layer.digest] } }),
    `${TYPE}.config.v1+json`,
  );
  const attestation = put(
    json({ schemaVersion: 2, mediaType: `${TYPE}.manifest.v1+json`, config, layers: [layer] }),
    `${TYPE}.manifest.v1+json`,
  );
  const size = readFileSync(join(folder, 'blobs/sha256', image.slice(7))).length;
  const index = put(
    json({
      schemaVersion: 2,
      mediaType: `${TYPE}.index.v1+json`,
      manifests: [
        {
          mediaType: `${TYPE}.manifest.v1+json`,
          digest: image,
          size,
          platform: { architecture: 'amd64', os: 'linux' },
        },
        {
          ...attestation,
          annotations: { 'vnd.docker.reference.digest': image, 'vnd.docker.reference.type': 'attestation-manifest' },
          platform: { architecture: 'unknown', os: 'unknown' },
        },
      ],
    }),
    `${TYPE}.index.v1+json`,
  );
  const entry = { ...index, annotations: { 'org.opencontainers.image.ref.name': options.name } };
  writeFileSync(
    join(folder, 'index.json'),
    json({ schemaVersion: 2, mediaType: `${TYPE}.index.v1+json`, manifests: [entry] }),
  );
  return index.digest;
}

/** Digest of the first manifest that the index of a layout folder names. */
export async function layoutDigest(layout: string): Promise<string | undefined> {
  const index = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')) as {
    manifests: readonly { digest: string }[];
  };
  return index.manifests[0]?.digest;
}

/** Stores blobs in a layout and gives their descriptors. */
function blobsIn(folder: string) {
  const blobs = join(folder, 'blobs/sha256');
  mkdirSync(blobs, { recursive: true });
  return (data: Buffer, mediaType: string) => {
    writeFileSync(join(blobs, sha256(data)), data);
    return { mediaType, digest: `sha256:${sha256(data)}`, size: data.length };
  };
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function sha256(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
