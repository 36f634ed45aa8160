import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { configOf, manifestOf } from '../chaos/content.ts';
import { makeTar } from './tar.ts';
import type { Wire } from './wire.ts';

/** Has CVE-2024-12797, which `FIXED_OPENSSL` has not. */
export const VULNERABLE_OPENSSL = '3.3.2-r0';
export const FIXED_OPENSSL = '3.3.3-r0';

/** Pushes an image of Alpine 3.20 with this version of OpenSSL; another tag is another image. */
export async function pushAlpine(
  wire: Wire,
  repository: string,
  tag: string,
  openssl = VULNERABLE_OPENSSL,
): Promise<Digest> {
  const layer = makeTar([
    { name: 'etc/os-release', content: 'ID=alpine\nVERSION_ID=3.20.3\n' },
    { name: 'etc/alpine-release', content: '3.20.3\n' },
    { name: 'lib/apk/db/installed', content: `P:libcrypto3\nV:${openssl}\nA:x86_64\no:openssl\nT:${tag}\n\n` },
  ]);
  const config = configOf(tag, [layer]);
  const manifest = manifestOf(config, [layer]);
  for (const blob of [layer, config]) {
    const path = `/v2/${repository}/blobs/uploads/?digest=${digestOf(blob)}`;
    expectCreated(await wire.send('POST', path, { body: blob }));
  }
  const headers = { 'content-type': OCI_MANIFEST };
  expectCreated(await wire.send('PUT', `/v2/${repository}/manifests/${tag}`, { body: manifest, headers }));
  return digestOf(manifest);
}

function expectCreated({ status, body }: { readonly status: number; readonly body: Buffer }): void {
  if (status !== 201) throw new Error(`a push was answered ${status}: ${body.toString()}`);
}
