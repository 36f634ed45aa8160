import { createCipheriv, createHash } from 'node:crypto';
import { digestOf } from '../../src/oci/digest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-types.ts';

const CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar';

/** Bytes without pattern, the same for the same name. */
export function contentOf(name: string, size: number): Buffer {
  const key = createHash('sha256').update(name).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size));
}

export function configOf(name: string, layers: readonly Buffer[]): Buffer {
  return json({
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => digestOf(layer)) },
    config: { Labels: { name } },
  });
}

export function manifestOf(config: Buffer, layers: readonly Buffer[]): Buffer {
  return json({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: descriptor(CONFIG, config),
    layers: layers.map((layer) => descriptor(LAYER, layer)),
  });
}

export function indexOf(children: readonly Buffer[]): Buffer {
  const manifests = children.map((child, at) => ({
    ...descriptor(OCI_MANIFEST, child),
    platform: { os: 'linux', architecture: ['amd64', 'arm64'][at] ?? 's390x' },
  }));
  return json({ schemaVersion: 2, mediaType: OCI_INDEX, manifests });
}

function descriptor(mediaType: string, content: Buffer): object {
  return { mediaType, digest: digestOf(content), size: content.length };
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
