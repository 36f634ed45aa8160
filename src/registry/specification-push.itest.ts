import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { digestOf } from '../oci/digest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../oci/media-types.ts';
import { descriptor, imageManifest, pushBlob, type Reply, startRegistry, type TestRegistry } from './testing.ts';

const MIB = 1024 * 1024;
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;
const ALGORITHMS = ['sha256', 'sha512'] as const;

/** What distribution-spec 1.1.1 and the next minor version demand of pushes (MUST, and the SHOULDs that clients lean on). */
describe.each(ENGINES)('distribution-spec, push, on %s', (engine) => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await startRegistry(engine, 'filesystem');
    await pushBlob(registry, 'front/app', '{}');
    await pushBlob(registry, 'front/app', 'layer');
  });
  afterAll(async () => registry.close());

  const post = (query = '') => registry.call('POST', `/v2/front/app/blobs/uploads/${query}`);
  const begin = async (query = '') => locationOf(await post(query));
  const isThere = async (digest: string) =>
    (await registry.call('HEAD', `/v2/front/app/blobs/${digest}`)).status === 200;
  const patch = (location: string, body: Uint8Array, first: number) =>
    registry.call('PATCH', location, { headers: { 'content-range': `${first}-${first + body.length - 1}` }, body });
  const put = (reference: string, body: string, type = OCI_MANIFEST) =>
    registry.call('PUT', `/v2/front/app/manifests/${reference}`, { headers: { 'content-type': type }, body });

  async function expectPullable(reply: Reply, content: Uint8Array): Promise<void> {
    expect(reply.status).toBe(201);
    const pulled = await registry.call('GET', locationOf(reply));
    expect([pulled.status, pulled.body.equals(content)]).toEqual([200, true]);
  }

  describe('blobs', () => {
    it('end-4a: POST answers 202 with a Location that holds a UUID of its own', async () => {
      const [one, two] = [await post(), await post()];
      expect([one.status, two.status]).toEqual([202, 202]);
      expect(locationOf(one)).toMatch(UUID);
      expect(locationOf(one)).not.toBe(locationOf(two));
    });

    it('end-4a: there is no least size of a chunk, so none is announced, and a chunk may be one byte', async () => {
      const reply = await post();
      expect(reply.headers['oci-chunk-min-length']).toBeUndefined();
      for (const at of [0, 1]) expect((await patch(locationOf(reply), Buffer.from('x'), at)).status).toBe(202);
    });

    it.each(ALGORITHMS)('end-6: PUT after POST answers 201 with the Location of the blob (%s)', async (algorithm) => {
      const content = randomBytes(70_000);
      const reply = await registry.call('PUT', finishAt(await begin(), digestOf(content, algorithm)), {
        headers: { 'content-type': 'application/octet-stream' },
        body: content,
      });
      await expectPullable(reply, content);
    });

    it.each(ALGORITHMS)(
      'end-4b: POST of a whole blob answers 201 with the Location of the blob (%s)',
      async (algorithm) => {
        const content = randomBytes(70_000);
        const digest = digestOf(content, algorithm);
        const reply = await registry.call('POST', `/v2/front/app/blobs/uploads/?digest=${digest}`, { body: content });
        await expectPullable(reply, content);
      },
    );

    it('end-4b: a body that the digest is not of answers 400 and makes nothing visible', async () => {
      const wrong = digestOf('something else');
      const reply = await registry.call('POST', `/v2/front/app/blobs/uploads/?digest=${wrong}`, { body: 'content' });
      expect([reply.status, reply.code]).toEqual([400, 'DIGEST_INVALID']);
      expect(await isThere(wrong)).toBe(false);
    });

    it.each(ALGORITHMS)(
      'end-4c, end-5, end-6: chunks answer 202 with Location and Range, the end 201 (%s)',
      async (algorithm) => {
        const content = randomBytes(90_000);
        let location = await begin(`?digest-algorithm=${algorithm}`);
        for (const first of [0, 30_000, 60_000]) {
          const reply = await patch(location, content.subarray(first, first + 30_000), first);
          expect([reply.status, reply.headers['range']]).toEqual([202, `0-${first + 29_999}`]);
          location = locationOf(reply);
        }
        await expectPullable(await registry.call('PUT', finishAt(location, digestOf(content, algorithm))), content);
      },
    );

    it('end-6: the last chunk may come with the PUT that ends the upload', async () => {
      const content = randomBytes(50_000);
      const patched = await patch(await begin(), content.subarray(0, 40_000), 0);
      const reply = await registry.call('PUT', finishAt(locationOf(patched), digestOf(content)), {
        headers: { 'content-range': '40000-49999' },
        body: content.subarray(40_000),
      });
      await expectPullable(reply, content);
    });

    it('end-5: the range of the first chunk begins with 0', async () => {
      expect((await patch(await begin(), Buffer.from('hello'), 1)).status).toBe(416);
    });

    it.each([0, 3, 6])('end-5: a chunk out of order (at %d instead of 5) answers 416', async (first) => {
      const location = await begin();
      await patch(location, Buffer.from('hello'), 0);
      const reply = await patch(location, Buffer.from('world'), first);
      expect([reply.status, reply.code]).toEqual([416, 'BLOB_UPLOAD_INVALID']);
    });

    it('end-6: a last chunk out of order answers 416, and the upload goes on from where it stands', async () => {
      const location = await begin();
      await patch(location, Buffer.from('hello'), 0);
      const last = (range: string) =>
        registry.call('PUT', finishAt(location, digestOf('hello world')), {
          headers: { 'content-range': range },
          body: ' world',
        });
      expect((await last('9-14')).status).toBe(416);
      expect((await last('5-10')).status).toBe(201);
    });

    it('end-6: the PUT that ends an upload must say the digest of the whole', async () => {
      const location = await begin();
      await patch(location, Buffer.from('hello'), 0);
      expect((await registry.call('PUT', location)).code).toBe('DIGEST_INVALID');
      expect((await registry.call('PUT', finishAt(location, digestOf('hell')))).code).toBe('DIGEST_INVALID');
    });

    it.each(['sha256:baddigeststring', 'md5:d41d8cd98f00b204e9800998ecf8427e', 'nothing', 'sha256:'])(
      'end-4b, end-6: the digest %s answers 400',
      async (digest) => {
        expect((await post(`?digest=${digest}`)).code).toBe('DIGEST_INVALID');
        const reply = await registry.call('PUT', finishAt(await begin(), digest), { body: 'content' });
        expect([reply.status, reply.code]).toEqual([400, 'DIGEST_INVALID']);
      },
    );

    it('end-13: GET of an upload answers 204 with Location and Range, also after a 416', async () => {
      const location = await begin();
      expect((await registry.call('GET', location)).status).toBe(204);
      await patch(location, Buffer.from('hello'), 0);
      expect((await patch(location, Buffer.from('hello'), 0)).status).toBe(416);
      const reply = await registry.call('GET', location);
      expect([reply.status, reply.headers['location'], reply.headers['range']]).toEqual([204, location, '0-4']);
    });

    it('end-14: DELETE of an upload answers 204, and it is gone', async () => {
      const location = await begin();
      expect((await registry.call('DELETE', location)).status).toBe(204);
      const reply = await registry.call('PATCH', location, { body: 'x' });
      expect([reply.status, reply.code]).toEqual([404, 'BLOB_UPLOAD_UNKNOWN']);
    });

    it('end-11: a mount answers 201 with the Location of the blob, with and without "from"', async () => {
      for (const from of ['&from=back/base', '']) {
        const digest = await pushBlob(registry, 'back/base', `base${from}`);
        const reply = await post(`?mount=${digest}${from}`);
        await expectPullable(reply, Buffer.from(`base${from}`));
        expect(locationOf(reply)).toBe(`/v2/front/app/blobs/${digest}`);
      }
    });

    it('end-11: a mount of what is not there, or not for the caller, begins an upload with 202', async () => {
      const secret = await pushBlob(registry, 'back/secret', 'secret');
      for (const query of [`${digestOf('none')}&from=back/base`, `${secret}&from=back/secret`, secret]) {
        const reply = await registry.call('POST', `/v2/front/app/blobs/uploads/?mount=${query}`, { as: 'writer' });
        expect([reply.status, UUID.test(locationOf(reply))]).toEqual([202, true]);
      }
      expect(await isThere(secret)).toBe(false);
      expect((await post('?mount=sha256:nonsense&from=back/base')).code).toBe('DIGEST_INVALID');
    });
  });

  describe('manifests', () => {
    it('end-7a: PUT by tag answers 201 with the Location of the manifest, which is kept byte for byte', async () => {
      const odd = ` ${image().replace(':', ' :\t')}\n\n`;
      const reply = await put('v1', odd);
      await expectPullable(reply, Buffer.from(odd));
      expect(reply.headers).toMatchObject({ 'docker-content-digest': digestOf(odd), 'content-length': '0' });
      expect((await registry.call('GET', '/v2/front/app/manifests/v1')).body.toString()).toBe(odd);
    });

    it.each(ALGORITHMS)('end-7a: PUT by digest keeps the digest the client gave (%s)', async (algorithm) => {
      const digest = digestOf(image(), algorithm);
      const reply = await put(digest, image());
      await expectPullable(reply, Buffer.from(image()));
      expect(reply.headers['docker-content-digest']).toBe(digest);
    });

    it('end-7a: PUT by a digest that is not the manifest’s answers 400 and stores nothing', async () => {
      const other = digestOf('other');
      expect([(await put(other, image())).status, (await put('sha256:bad', image())).status]).toEqual([400, 400]);
      expect((await registry.call('HEAD', `/v2/front/app/manifests/${other}`)).status).toBe(404);
    });

    it.each(['.dot', '-dash', 'a b', 'x'.repeat(129), 'ü'])('end-7a: %j is no tag and answers 400', async (tag) => {
      expect((await put(encodeURIComponent(tag), image())).status).toBe(400);
    });

    it.each(['_', 'A.b-c_9', 'x'.repeat(128)])('end-7a: %j is a tag', async (tag) => {
      expect((await put(tag, image())).status).toBe(201);
    });

    it('end-7b: tags of a PUT by digest are set, and each is named in OCI-Tag', async () => {
      const tags = Array.from({ length: 12 }, (_, at) => `multi-${at}`);
      const body = image({ annotations: { multi: 'tag' } });
      for (const algorithm of ALGORITHMS) {
        const digest = digestOf(body, algorithm);
        const reply = await put(`${digest}?${tags.map((tag) => `tag=${tag}`).join('&')}`, body);
        expect(reply.status).toBe(201);
        expect([reply.headers['oci-tag']].flat().join(', ').split(', ')).toEqual(tags);
        for (const tag of tags)
          expect((await registry.call('HEAD', `/v2/front/app/manifests/${tag}`)).headers['docker-content-digest']).toBe(
            digest,
          );
      }
    });

    it('end-7a: a manifest without layers, with unknown members and with the data of its content is taken', async () => {
      const data = Buffer.from('layer').toString('base64');
      const layers = [{ ...descriptor('application/vnd.oci.image.layer.v1.tar', 'layer'), data }];
      for (const body of [image({ layers: [] }), image({ 'org.example.new': { a: [1] } }), image({ layers })])
        expect((await put('odd', body)).status).toBe(201);
    });

    it('end-7a: a subject need not be there yet, and is confirmed with OCI-Subject', async () => {
      for (const [body, type] of [
        [image({ subject: descriptor(OCI_MANIFEST, 'not pushed yet') }), OCI_MANIFEST],
        [index({ subject: descriptor(OCI_MANIFEST, 'not pushed yet') }), OCI_INDEX],
      ] as const) {
        const reply = await put('attached', body, type);
        expect([reply.status, reply.headers['oci-subject']]).toEqual([201, digestOf('not pushed yet')]);
      }
      expect((await put('alone', image())).headers['oci-subject']).toBeUndefined();
    });

    it('end-7a: a manifest refused for content that is missing answers MANIFEST_BLOB_UNKNOWN', async () => {
      for (const [body, type] of [
        [JSON.stringify(imageManifest('no config', ['layer'])), OCI_MANIFEST],
        [JSON.stringify(imageManifest('{}', ['no layer'])), OCI_MANIFEST],
        [index({ manifests: [descriptor(OCI_MANIFEST, 'no child')] }), OCI_INDEX],
      ] as const)
        expect((await put('missing', body, type)).code).toBe('MANIFEST_BLOB_UNKNOWN');
    });

    it('end-7a: 4 MiB are taken, more answers 413', async () => {
      expect((await put('large', padded(4 * MIB))).status).toBe(201);
      const reply = await put('larger', padded(4 * MIB + 1));
      expect([reply.status, reply.code]).toEqual([413, 'SIZE_INVALID']);
    });
  });
});

function locationOf(reply: Reply): string {
  return String(reply.headers['location']);
}

function finishAt(location: string, digest: string): string {
  return `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`;
}

function image(additions: object = {}): string {
  return JSON.stringify(imageManifest('{}', ['layer'], additions));
}

function index(additions: object): string {
  return JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [], ...additions });
}

/** An image manifest of exactly that many bytes. */
function padded(size: number): string {
  const bare = image({ annotations: { pad: '' } });
  return image({ annotations: { pad: 'x'.repeat(size - bare.length) } });
}
