import { createHash, randomBytes, randomInt } from 'node:crypto';
import { expect } from 'vitest';
import type { Wire } from './wire.ts';

const TYPE = 'application/vnd.oci.image';
const MANIFEST = `${TYPE}.manifest.v1+json`;

/** Pushes an image of its own content as `front/app:TAG`; gives the digest once that is acknowledged. */
export async function pushSmallImage(wire: Wire, tag: string): Promise<string> {
  const config = await blob(wire, Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', tag })));
  const layer = await blob(wire, randomBytes(20_000 + randomInt(200_000)));
  const body = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: { ...config, mediaType: `${TYPE}.config.v1+json` },
      layers: [{ ...layer, mediaType: `${TYPE}.layer.v1.tar` }],
    }),
  );
  const headers = { 'content-type': MANIFEST };
  const reply = await wire.send('PUT', `/v2/front/app/manifests/${tag}`, { body, headers });
  expect(reply.status, reply.body.toString()).toBe(201);
  return digestOf(body);
}

async function blob(wire: Wire, body: Buffer): Promise<{ digest: string; size: number }> {
  const digest = digestOf(body);
  const reply = await wire.send('POST', `/v2/front/app/blobs/uploads/?digest=${digest}`, { body });
  expect(reply.status, reply.body.toString()).toBe(201);
  return { digest, size: body.length };
}

/** Pulls that image, checks the bytes of all of it, and gives the digest of its manifest. */
export async function pullSmallImage(wire: Wire, tag: string): Promise<string> {
  const manifest = await wire.send('GET', `/v2/front/app/manifests/${tag}`);
  expect(manifest.status, manifest.body.toString()).toBe(200);
  const { config, layers } = JSON.parse(manifest.body.toString()) as {
    config: { digest: string };
    layers: { digest: string }[];
  };
  for (const { digest } of [config, ...layers]) {
    const reply = await wire.send('GET', `/v2/front/app/blobs/${digest}`);
    expect(reply.status, digest).toBe(200);
    expect(digestOf(reply.body)).toBe(digest);
  }
  return digestOf(manifest.body);
}

function digestOf(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
