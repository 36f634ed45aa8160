import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from './digest.ts';
import { ManifestError, parseManifest } from './manifest.ts';
import {
  DOCKER_MANIFEST,
  DOCKER_MANIFEST_LIST,
  OCI_ARTIFACT_MANIFEST,
  OCI_INDEX,
  OCI_MANIFEST,
} from './media-types.ts';

const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

const descriptor = (mediaType: string, content = mediaType) => ({
  mediaType,
  digest: digestOf(content),
  size: content.length,
});
const image = (config: string, layers: readonly string[], additions: object = {}) => ({
  schemaVersion: 2,
  mediaType: OCI_MANIFEST,
  config: descriptor(config),
  layers: layers.map((layer) => descriptor(layer)),
  ...additions,
});
const parse = (manifest: unknown, contentType?: string) =>
  parseManifest(Buffer.from(JSON.stringify(manifest)), contentType);

describe('kinds', () => {
  it.each([
    ['an OCI image', image(OCI_CONFIG, [LAYER]), 'image'],
    ['an image without layers', image(OCI_CONFIG, []), 'image'],
    ['an image with an odd layer type, which Docker would unpack', image(OCI_CONFIG, ['application/x-odd']), 'image'],
    ['a config type Docker takes for an image', image('application/octet-stream', [LAYER]), 'image'],
    [
      'an image that calls itself an artifact',
      image(OCI_CONFIG, [LAYER], { artifactType: 'application/x.sbom' }),
      'image',
    ],
    [
      'a signature and a layer',
      image(OCI_CONFIG, ['application/vnd.dev.cosign.simplesigning.v1+json', LAYER]),
      'image',
    ],
    ['a cosign signature', image(OCI_CONFIG, ['application/vnd.dev.cosign.simplesigning.v1+json']), 'artifact'],
    ['an attestation of BuildKit', image(OCI_CONFIG, ['application/vnd.in-toto+json']), 'artifact'],
    [
      'a Helm chart',
      image('application/vnd.cncf.helm.config.v1+json', ['application/vnd.cncf.helm.chart.content.v1.tar+gzip']),
      'artifact',
    ],
    ['an artifact with the empty config', image('application/vnd.oci.empty.v1+json', [LAYER]), 'artifact'],
  ] as const)('%s', (_, manifest, kind) => {
    expect(parse(manifest).kind).toBe(kind);
  });

  it('a Docker image', () => {
    const manifest = {
      ...image('application/vnd.docker.container.image.v1+json', [LAYER]),
      mediaType: DOCKER_MANIFEST,
    };
    expect(parse(manifest, DOCKER_MANIFEST)).toMatchObject({ kind: 'image', mediaType: DOCKER_MANIFEST });
  });

  it('an index, with the platforms of its children', () => {
    const manifests = [
      { ...descriptor(OCI_MANIFEST), platform: { os: 'linux', architecture: 'arm', variant: 'v7' } },
      { ...descriptor(OCI_MANIFEST, 'b'), platform: { os: 'unknown', architecture: 'unknown' } },
      descriptor(OCI_MANIFEST, 'c'),
    ];
    for (const mediaType of [OCI_INDEX, DOCKER_MANIFEST_LIST]) {
      const parsed = parse({ schemaVersion: 2, mediaType, manifests });
      expect(parsed).toMatchObject({ kind: 'index', mediaType, layers: [] });
      expect(parsed.children.map((child) => child.platform)).toEqual(['linux/arm/v7', 'unknown/unknown', undefined]);
      expect(parsed.artifactType).toBeUndefined();
    }
  });

  it('an artifact manifest of the release candidates', () => {
    const manifest = { mediaType: OCI_ARTIFACT_MANIFEST, artifactType: 'application/x', blobs: [descriptor('a/b')] };
    expect(parse(manifest)).toMatchObject({
      kind: 'artifact',
      artifactType: 'application/x',
      layers: [{ mediaType: 'a/b' }],
    });
    expect(parse({ mediaType: OCI_ARTIFACT_MANIFEST, artifactType: 'application/x' }).layers).toEqual([]);
  });
});

describe('reading', () => {
  it('takes the artifact type from the manifest, else from the config', () => {
    expect(parse(image(OCI_CONFIG, [])).artifactType).toBe(OCI_CONFIG);
    expect(parse(image(OCI_CONFIG, [], { artifactType: '' })).artifactType).toBe(OCI_CONFIG);
    expect(parse(image(OCI_CONFIG, [], { artifactType: 'a/b' })).artifactType).toBe('a/b');
  });

  it('keeps subject and annotations', () => {
    const subject = descriptor(OCI_MANIFEST, 's');
    const annotations = { constructor: 'x', Digest: 'any case is fine here', toString: '' };
    expect(parse(image(OCI_CONFIG, [], { subject, annotations }))).toMatchObject({ subject, annotations });
    const absent = parse(image(OCI_CONFIG, [], { subject: null, annotations: null }));
    expect([absent.subject, absent.annotations]).toEqual([undefined, undefined]);
  });

  it('allows members nobody knows', () => {
    expect(parse(image(OCI_CONFIG, [LAYER], { 'org.example': { deep: [{ x: 1 }] }, other: null })).kind).toBe('image');
  });

  it('finds out the type from the form when nothing says it', () => {
    const { mediaType: _, ...bare } = image(OCI_CONFIG, []);
    expect(parse(bare).mediaType).toBe(OCI_MANIFEST);
    expect(parse({ schemaVersion: 2, manifests: [] }).mediaType).toBe(OCI_INDEX);
    expect(parse(bare, DOCKER_MANIFEST).mediaType).toBe(DOCKER_MANIFEST);
    expect(parse({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: null }).children).toEqual([]);
  });

  it.each([
    ['schema 1', { ...image(OCI_CONFIG, []), schemaVersion: 1 }],
    ['another type than it was sent with', image(OCI_CONFIG, []), OCI_INDEX],
    ['an unknown type', { ...image(OCI_CONFIG, []), mediaType: 'application/json' }],
    ['an image that is also an index', image(OCI_CONFIG, [], { manifests: [descriptor(OCI_MANIFEST)] })],
    ['an index that is also an image', { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [], layers: [] }],
    ['a case variant of a member', image(OCI_CONFIG, [], { LAYERS: [descriptor(LAYER)] })],
    ['a variant with the long s', image(OCI_CONFIG, [], { 'layer\u017f': [descriptor(LAYER)] })],
    [
      'a case variant in a descriptor',
      image(OCI_CONFIG, [], { layers: [{ ...descriptor(LAYER), Digest: digestOf('x') }] }),
    ],
    ['a fractional size', image(OCI_CONFIG, [], { layers: [{ ...descriptor(LAYER), size: 1.5 }] })],
    ['a size beyond all numbers', image(OCI_CONFIG, [], { layers: [{ ...descriptor(LAYER), size: 1e300 }] })],
    ['a size as text', image(OCI_CONFIG, [], { layers: [{ ...descriptor(LAYER), size: '1' }] })],
    [
      'a platform without architecture',
      { mediaType: OCI_INDEX, manifests: [{ ...descriptor(OCI_MANIFEST), platform: { os: 'linux' } }] },
    ],
    ['no layers', { ...image(OCI_CONFIG, []), layers: undefined }],
    [
      '10,001 layers',
      image(
        OCI_CONFIG,
        Array.from({ length: 10_001 }, () => LAYER),
      ),
    ],
  ] as const)('refuses %s', (_, manifest, contentType?: string) => {
    expect(() => parse(manifest, contentType)).toThrow(ManifestError);
  });

  it('only ever fails with its own error', () => {
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constant(descriptor(LAYER)),
      fc.constant([descriptor(LAYER)]),
    );
    const names = [
      'schemaVersion',
      'mediaType',
      'config',
      'layers',
      'manifests',
      'subject',
      'annotations',
      'artifactType',
    ];
    const broken = fc
      .dictionary(fc.constantFrom(...names), value)
      .map((part) => ({ ...image(OCI_CONFIG, [LAYER]), ...part }));
    fc.assert(
      fc.property(broken, fc.constantFrom(undefined, OCI_MANIFEST, OCI_INDEX), (manifest, type) => {
        try {
          expect(['image', 'index', 'artifact']).toContain(parse(manifest, type).kind);
        } catch (error) {
          expect(error).toBeInstanceOf(ManifestError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
