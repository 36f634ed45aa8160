import { describe, expect, it } from 'vitest';
import { type Digest, digestOf } from '../oci/digest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../oci/media-types.ts';
import { vexFromReferrers } from '../scanner/vex/from-referrers.ts';
import type { RegistryClient } from './registry-client.ts';
import { registryReferrers } from './registry-referrers.ts';

const OPENVEX = 'application/vnd.openvex+json';
const image = digestOf('image');
const vex = Buffer.from(
  JSON.stringify({
    '@context': 'https://openvex.dev/ns/v0.2.0',
    author: 'Somebody',
    statements: [{ vulnerability: { name: 'CVE-2024-0001' }, products: [`pkg:oci/app@${image}`], status: 'fixed' }],
  }),
);

/** A registry with artifacts of these types and contents attached to the image. */
function registry(attached: readonly { readonly type: string; readonly content: Buffer; readonly served?: Buffer }[]) {
  const blobs = new Map(attached.map(({ content, served }) => [digestOf(content), served ?? content]));
  const manifests = attached.map(({ type, content }) => {
    const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf('{}'), size: 2 };
    const layers = [{ mediaType: type, digest: digestOf(content), size: content.byteLength }];
    return Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, artifactType: type, config, layers }),
    );
  });
  const index = manifests.map((bytes) => ({
    mediaType: OCI_MANIFEST,
    digest: digestOf(bytes),
    size: bytes.byteLength,
  }));
  const client: Pick<RegistryClient, 'host' | 'getReferrers' | 'getManifest' | 'getBlob'> = {
    host: 'registry.test',
    getReferrers: async (_, subject) => ({
      digest: subject,
      mediaType: OCI_INDEX,
      content: Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: index })),
    }),
    getManifest: async (_, reference) => {
      const content = manifests.find((bytes) => digestOf(bytes) === reference);
      return content && { digest: reference as Digest, mediaType: OCI_MANIFEST, content };
    },
    getBlob: async (_, digest) => {
      const content = blobs.get(digest);
      return (
        content && {
          content: (async function* () {
            yield content;
          })(),
        }
      );
    },
  };
  return registryReferrers(client, 'app');
}

describe('VEX attached to an image', () => {
  it('is read, and marked as the word of whoever attached it', async () => {
    const { statements, problems } = await vexFromReferrers(registry([{ type: OPENVEX, content: vex }]), image);
    expect(statements).toMatchObject([{ author: 'Somebody', status: 'fixed', unverified: true }]);
    expect(problems).toEqual([]);
  });

  it('passes over what is something else', async () => {
    const others = [
      { type: 'application/vnd.dev.cosign.simplesigning.v1+json', content: vex },
      { type: 'application/vnd.in-toto+json', content: Buffer.from('{"_type":"https://in-toto.io/Statement/v1"}') },
    ];
    expect(await vexFromReferrers(registry(others), image)).toEqual({ statements: [], problems: [] });
  });

  it('takes no bytes for those of another digest, and says so', async () => {
    const forged = registry([{ type: OPENVEX, content: Buffer.from('{}'), served: vex }]);
    expect(await vexFromReferrers(forged, image)).toEqual({
      statements: [],
      problems: [expect.stringContaining('registry.test gave')],
    });
  });
});
