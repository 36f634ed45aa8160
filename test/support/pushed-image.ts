import { randomBytes } from 'node:crypto';
import { digestOf } from '../../src/oci/digest.ts';
import { OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { configOf, manifestOf } from '../chaos/content.ts';
import type { Reply, Wire } from './wire.ts';

/** An image of one layer without pattern, to be pushed and looked for. */
export interface PushedImage {
  readonly repository: string;
  readonly tag: string;
  readonly layer: Buffer;
  readonly config: Buffer;
  readonly manifest: Buffer;
}

export function newImage(repository: string, tag: string, size = 10_000): PushedImage {
  const layer = randomBytes(size);
  const config = configOf(tag, [layer]);
  return { repository, tag, layer, config, manifest: manifestOf(config, [layer]) };
}

/** Pushes it, the layer in one piece and the config in two requests; gives the answer that ended this early, if any. */
export async function pushUntilRefused(wire: Wire, image: PushedImage): Promise<Reply[]> {
  const uploads = `/v2/${image.repository}/blobs/uploads/`;
  const whole = await wire.send('POST', `${uploads}?digest=${digestOf(image.layer)}`, { body: image.layer });
  if (whole.status !== 201) return [whole];
  const begun = await wire.send('POST', uploads);
  if (begun.status !== 202) return [begun];
  const end = `${String(begun.headers['location'])}?digest=${digestOf(image.config)}`;
  const put = await wire.send('PUT', end, { body: image.config });
  if (put.status !== 201) return [put];
  const stored = await wire.send('PUT', `/v2/${image.repository}/manifests/${image.tag}`, {
    body: image.manifest,
    headers: { 'content-type': OCI_MANIFEST },
  });
  return stored.status === 201 ? [] : [stored];
}

/** What is served of it: `whole`, or what is wrong. */
export async function served(wire: Wire, { repository, tag, layer, config, manifest }: PushedImage): Promise<string> {
  const pulled = await wire.send('GET', `/v2/${repository}/manifests/${tag}`, { accept: OCI_MANIFEST });
  if (pulled.status !== 200) return `manifest: ${pulled.status} ${pulled.body.toString()}`;
  if (!pulled.body.equals(manifest)) return 'another manifest';
  for (const content of [layer, config]) {
    const blob = await wire.send('GET', `/v2/${repository}/blobs/${digestOf(content)}`);
    if (blob.status !== 200) return `blob: ${blob.status} ${blob.body.toString()}`;
    if (!blob.body.equals(content)) return 'another blob';
  }
  return 'whole';
}

/** Code and message of the first error in a reply of the distribution API. */
export function errorOf(reply: Reply): string {
  const { errors } = JSON.parse(reply.body.toString()) as { errors: { code: string; message: string }[] };
  return errors.map(({ code, message }) => `${code} ${message}`).join();
}
