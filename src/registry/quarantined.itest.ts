import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { digestOf } from '../oci/digest.ts';
import { OCI_MANIFEST } from '../oci/media-types.ts';
import { OCI_CONFIG, OCI_LAYER, startRegistry, type TestRegistry } from './testing.ts';

const LAYER = Buffer.from('a layer');
const CONFIG = Buffer.from('{}');
const layer = digestOf(LAYER);
const MANIFEST = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, digest: digestOf(CONFIG), size: CONFIG.byteLength },
    layers: [{ mediaType: OCI_LAYER, digest: layer, size: LAYER.byteLength }],
  }),
);

describe.each(ENGINES)('content under quarantine in the registry on %s', (engine) => {
  let registry: TestRegistry;
  let under: string[];
  beforeEach(async () => {
    under = [];
    registry = await startRegistry(engine, 'memory', {
      quarantine: {
        async refusalOf(contents) {
          const digest = contents.find((one) => under.includes(one));
          return digest && { digest, sentence: 'quarantined since yesterday (INC-1): bad' };
        },
      },
    });
  });
  afterEach(() => registry.close());

  const put = (name: string, content: Buffer) =>
    registry.call('POST', `/v2/${name}/blobs/uploads/?digest=${digestOf(content)}`, {
      body: content,
      headers: { 'content-type': 'application/octet-stream' },
    });
  const putManifest = (name: string) =>
    registry.call('PUT', `/v2/${name}/manifests/1`, { body: MANIFEST, headers: { 'content-type': OCI_MANIFEST } });

  it('neither goes out, nor comes in, nor is mounted, whoever asks', async () => {
    for (const content of [LAYER, CONFIG]) expect((await put('front/app', content)).status).toBe(201);
    expect((await putManifest('front/app')).status).toBe(201);
    under = [layer];
    for (const [method, path] of [
      ['GET', `/v2/front/app/blobs/${layer}`],
      ['HEAD', `/v2/front/app/blobs/${layer}`],
      ['POST', `/v2/front/other/blobs/uploads/?mount=${layer}&from=front/app`],
      ['POST', `/v2/front/other/blobs/uploads/?mount=${layer}`],
    ] as const)
      expect((await registry.call(method, path)).status, `${method} ${path}`).toBe(412);
    const refused = await put('front/other', LAYER);
    expect(refused).toMatchObject({ status: 412, code: 'PROJECTPOLICYVIOLATION' });
    expect(refused.body.toString()).toContain('quarantined since yesterday (INC-1): bad');
    // With its content there already, under another tag.
    expect((await putManifest('front/app')).status).toBe(412);
    expect((await registry.call('GET', `/v2/front/app/blobs/${digestOf(CONFIG)}`)).status).toBe(200);
    under = [];
    expect((await registry.call('GET', `/v2/front/app/blobs/${layer}`)).body).toEqual(LAYER);
  });

  it('is refused at the end of an upload, and the upload is gone', async () => {
    under = [layer];
    const begun = await registry.call('POST', '/v2/front/app/blobs/uploads/');
    const location = String(begun.headers['location']);
    const sent = await registry.call('PATCH', location, {
      body: LAYER,
      headers: { 'content-type': 'application/octet-stream' },
    });
    const next = String(sent.headers['location']);
    const end = `${next}${next.includes('?') ? '&' : '?'}digest=${layer}`;
    expect((await registry.call('PUT', end)).status).toBe(412);
    expect((await registry.call('GET', next)).status).toBe(404);
  });

  it('keeps a manifest out by its own digest', async () => {
    for (const content of [LAYER, CONFIG]) await put('front/app', content);
    under = [digestOf(MANIFEST)];
    expect(await putManifest('front/app')).toMatchObject({ status: 412, code: 'PROJECTPOLICYVIOLATION' });
    under = [];
    expect((await registry.call('GET', '/v2/front/app/manifests/1')).status).toBe(404);
  });
});
