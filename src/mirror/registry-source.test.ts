import { describe, expect, it } from 'vitest';
import { type Digest, digestOf } from '../oci/digest.ts';
import { readBounded } from '../platform/streams.ts';
import type { RegistryClient } from './registry-client.ts';
import { openRegistryImage } from './registry-source.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const LAYER = Buffer.from('a layer');

/** A registry of values: contents by digest, and what the tag points to. */
function registryOf(contents: Readonly<Record<string, { mediaType: string; content: Buffer }>>, tag: Digest) {
  const client: Pick<RegistryClient, 'host' | 'getManifest' | 'getBlob'> = {
    host: 'registry.test',
    async getManifest(_, reference) {
      const digest = (reference === 'latest' ? tag : reference) as Digest;
      const found = contents[digest];
      return found && { ...found, digest };
    },
    async getBlob(_, digest) {
      const found = contents[digest];
      return found && { content: [found.content] as unknown as AsyncIterable<Uint8Array> };
    },
  };
  return { client: client as RegistryClient, repository: 'app', reference: 'latest', name: 'registry.test/app' };
}

function blob(mediaType: string, digest: Digest) {
  return { mediaType, digest, size: LAYER.length };
}

function manifestOf(layer: Digest): Buffer {
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: blob('application/vnd.oci.image.config.v1+json', digestOf('{}')),
      layers: [blob('application/vnd.oci.image.layer.v1.tar', layer)],
    }),
  );
}

const manifest = manifestOf(digestOf(LAYER));
const index = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: INDEX,
    manifests: ['amd64', 'arm64'].map((architecture) => ({
      mediaType: MANIFEST,
      digest: architecture === 'arm64' ? digestOf(manifest) : digestOf('gone'),
      size: manifest.length,
      platform: { os: 'linux', architecture },
    })),
  }),
);
const stored = {
  [digestOf(manifest)]: { mediaType: MANIFEST, content: manifest },
  [digestOf(index)]: { mediaType: INDEX, content: index },
  [digestOf(LAYER)]: { mediaType: '', content: LAYER },
};

describe('an image in a registry', () => {
  it('is read by tag, its layers when they are opened', async () => {
    const source = await openRegistryImage(registryOf(stored, digestOf(manifest)));
    expect([source.digest, source.layers.length]).toEqual([digestOf(manifest), 1]);
    const bytes = await source.layers[0]?.open();
    expect(bytes && (await readBounded(bytes, 100, 'layer'))).toEqual(LAYER);
  });
  it('is the one for the asked platform', async () => {
    const source = await openRegistryImage(registryOf(stored, digestOf(index)), { platform: 'linux/arm64' });
    expect(source.digest).toBe(digestOf(manifest));
    await expect(openRegistryImage(registryOf(stored, digestOf(index)), { platform: 'linux/s390x' })).rejects.toThrow(
      /no linux\/s390x; it has linux\/amd64, linux\/arm64/,
    );
  });
  it('says which step made each layer, when its configuration can be believed', async () => {
    const config = Buffer.from('{}');
    const history = Buffer.from(JSON.stringify({ history: [{ created_by: 'ADD a /' }] }));
    for (const [content, steps] of [
      [history, ['ADD a /']],
      [config, [undefined]],
    ] as const) {
      const named = Buffer.from(manifest.toString().replace(digestOf('{}'), digestOf(history)));
      const contents = {
        [digestOf(named)]: { mediaType: MANIFEST, content: named },
        [digestOf(history)]: { mediaType: '', content },
      };
      const source = await openRegistryImage(registryOf(contents, digestOf(named)));
      expect(source.layers.map(({ createdBy }) => createdBy)).toEqual(steps);
    }
  });
  it('must be there, with all that it names', async () => {
    await expect(openRegistryImage(registryOf(stored, digestOf('other')))).rejects.toThrow(/has no app:latest/);
    await expect(openRegistryImage(registryOf(stored, digestOf(index)))).rejects.toThrow(/has no app@sha256/);
    const source = await openRegistryImage(
      registryOf({ [digestOf(manifest)]: { mediaType: MANIFEST, content: manifest } }, digestOf(manifest)),
    );
    await expect(source.layers[0]?.open()).rejects.toThrow(/has no blob/);
  });
  it('is not believed when a layer is another than the manifest says', async () => {
    const forged = { ...stored, [digestOf(LAYER)]: { mediaType: '', content: Buffer.from('A layer') } };
    const source = await openRegistryImage(registryOf(forged, digestOf(manifest)));
    const bytes = await source.layers[0]?.open();
    await expect(bytes && readBounded(bytes, 100, 'layer')).rejects.toThrow(/gave sha256:.* for the blob sha256:/);
  });
});
