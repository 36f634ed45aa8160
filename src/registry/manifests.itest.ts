import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { digestOf } from '../oci/digest.ts';
import { DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../oci/media-types.ts';
import {
  findManifestInfo,
  findRepository,
  listManifests,
  manifestBlobs,
  manifestChildren,
  manifestParents,
  tagsOf,
} from './content-store.ts';
import {
  descriptor,
  imageManifest,
  OCI_CONFIG,
  OCI_LAYER,
  pushBlob,
  pushImage,
  pushManifest,
  startRegistry,
  type TestRegistry,
} from './testing.ts';

const MIB = 1024 * 1024;

describe.each(ENGINES)('pushing manifests, on %s', (engine) => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await startRegistry(engine, 'memory');
    await pushBlob(registry, 'front/app', '{}');
    await pushBlob(registry, 'front/app', 'layer');
  });
  afterAll(async () => registry.close());

  function put(reference: string, body: Uint8Array | string, contentType: string | undefined = OCI_MANIFEST) {
    const headers: Record<string, string> = contentType === undefined ? {} : { 'content-type': contentType };
    return registry.call('PUT', `/v2/front/app/manifests/${reference}`, { headers, body: Buffer.from(body) });
  }

  it('refuses more than 100 tags of one PUT, and what is none', async () => {
    const many = Array.from({ length: 101 }, (_, at) => `tag=t${at}`).join('&');
    expect((await put(`${digestOf(image())}?${many}`, image())).status).toBe(414);
    expect((await put(`${digestOf(image())}?tag=good&tag=-bad`, image())).code).toBe('TAG_INVALID');
    expect((await registry.call('HEAD', '/v2/front/app/manifests/good')).status).toBe(404);
  });

  it('moves a tag and keeps the old manifest', async () => {
    const [one, two] = [image({ annotations: { n: '1' } }), image({ annotations: { n: '2' } })];
    await put('moving', one);
    await put('moving', two);
    const digest = (await registry.call('HEAD', '/v2/front/app/manifests/moving')).headers['docker-content-digest'];
    expect(digest).toBe(digestOf(two));
    expect((await registry.call('HEAD', `/v2/front/app/manifests/${digestOf(one)}`)).status).toBe(200);
  });

  it('answers 413 to more than 4 MiB that come without Content-Length', async () => {
    const reply = await registry.call('PUT', '/v2/front/app/manifests/larger', {
      headers: { 'content-type': OCI_MANIFEST },
      body: inPieces(padded(4 * MIB + 100_000)),
    });
    expect([reply.status, reply.code]).toEqual([413, 'SIZE_INVALID']);
    expect((await registry.call('HEAD', '/v2/front/app/manifests/larger')).status).toBe(404);
  });

  it('answers on the same connection after a body it did not read to the end', async () => {
    for (let round = 0; round < 40; round += 1) {
      const reply = await registry.call('PUT', '/v2/front/app/manifests/larger', {
        headers: { 'content-type': OCI_MANIFEST },
        body: inPieces(`${padded(4 * MIB)}${' '.repeat(300_000)}`),
      });
      expect(reply.status).toBe(413);
    }
    expect((await put('after', image())).status).toBe(201);
  });

  describe('media types', () => {
    it('ignores parameters, and gives back the type alone', async () => {
      expect((await put('typed', image(), `${OCI_MANIFEST}; charset=utf-8`)).status).toBe(201);
      expect((await registry.call('GET', '/v2/front/app/manifests/typed')).headers['content-type']).toBe(OCI_MANIFEST);
    });

    it('takes the type from the manifest when none was sent', async () => {
      expect((await put('untyped', image(), undefined)).status).toBe(201);
      expect((await registry.call('GET', '/v2/front/app/manifests/untyped')).headers['content-type']).toBe(
        OCI_MANIFEST,
      );
    });

    it.each([
      [DOCKER_MANIFEST, 'another than the manifest says'],
      ['application/vnd.docker.distribution.manifest.v1+prettyjws', 'schema 1'],
      ['application/json', 'no manifest type'],
      ['not a type at all', 'nonsense'],
    ])('refuses %s (%s)', async (type) => {
      const reply = await put('refused', image(), type);
      expect(reply.status).toBeGreaterThanOrEqual(400);
      expect(reply.status).toBeLessThan(500);
      expect(reply.code).toMatch(/MANIFEST_INVALID|UNSUPPORTED/);
    });
  });

  describe('content it refers to', () => {
    it.each([
      ['config', imageManifest('no config', ['layer'])],
      ['layer', imageManifest('{}', ['no layer'])],
      ['layer among others', imageManifest('{}', ['layer', 'no layer', 'layer'])],
    ])('a missing %s answers MANIFEST_BLOB_UNKNOWN with the digest', async (_, manifest) => {
      const reply = await put('missing', JSON.stringify(manifest));
      expect([reply.status, reply.code]).toEqual([404, 'MANIFEST_BLOB_UNKNOWN']);
      expect(reply.body.toString()).toMatch(new RegExp(`${digestOf('no config')}|${digestOf('no layer')}`));
      expect((await registry.call('HEAD', '/v2/front/app/manifests/missing')).status).toBe(404);
    });

    it('a blob of another repository is missing', async () => {
      await pushBlob(registry, 'back/app', 'only in back');
      expect((await put('x', JSON.stringify(imageManifest('{}', ['only in back'])))).code).toBe(
        'MANIFEST_BLOB_UNKNOWN',
      );
    });

    it.each([
      'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
      'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
    ])('a layer of type %s need not be here', async (type) => {
      const layers = [{ ...descriptor(type, 'far away'), urls: ['https://example.com/layer'] }];
      expect((await put('foreign', image({ layers }))).status).toBe(201);
    });

    it('an index takes children that are manifests, indexes or blobs, not missing ones', async () => {
      const child = await pushImage(registry, 'front/app', 'child');
      const entry = { ...descriptor(OCI_MANIFEST, child.bytes), platform: { os: 'linux', architecture: 'amd64' } };
      expect((await put('index', index(entry), OCI_INDEX)).status).toBe(201);
      expect((await put('nested', index(descriptor(OCI_INDEX, index(entry))), OCI_INDEX)).status).toBe(201);
      expect((await put('cache', index(descriptor(OCI_LAYER, 'layer')), OCI_INDEX)).status).toBe(201);
      expect((await put('empty', index(), OCI_INDEX)).status).toBe(201);
      const missing = await put('broken', index(entry, descriptor(OCI_MANIFEST, 'no child')), OCI_INDEX);
      expect([missing.status, missing.code]).toEqual([404, 'MANIFEST_BLOB_UNKNOWN']);
    });

    it('is known to the rest of the program', async () => {
      const child = await pushImage(registry, 'front/known', 'child');
      const platform = { os: 'linux', architecture: 'arm64', variant: 'v8' };
      const parent = await pushManifest(
        registry,
        'front/known',
        { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [{ ...descriptor(OCI_MANIFEST, child.bytes), platform }] },
        'index',
      );
      const repository = await findRepository(registry.db, 'front/known');
      const id = repository?.id ?? '';
      expect(await manifestBlobs(registry.db, id, child.digest)).toEqual({
        config: { digest: child.config, mediaType: OCI_CONFIG, size: 22 },
        layers: [{ digest: child.layer, mediaType: OCI_LAYER, size: 14 }],
      });
      expect(await manifestChildren(registry.db, id, parent.digest)).toEqual([
        { digest: child.digest, platform: 'linux/arm64/v8', kind: 'image' },
      ]);
      expect(await manifestParents(registry.db, id, child.digest)).toEqual([parent.digest]);
      expect(await tagsOf(registry.db, id, parent.digest)).toEqual(['index']);
      const listed = await listManifests(registry.db, id, { after: '', limit: 10 });
      expect(new Map(listed.map((entry) => [entry.digest, `${entry.kind} of ${entry.createdBy}`]))).toEqual(
        new Map([
          [child.digest, 'image of admin'],
          [parent.digest, 'index of admin'],
        ]),
      );
      expect(await findManifestInfo(registry.db, 'front/known', 'index')).toMatchObject({
        repository: 'front/known',
        digest: parent.digest,
        kind: 'index',
        mirrored: false,
      });
    });
  });

  it('pushes of the same manifest at the same time all succeed', async () => {
    const body = image({ annotations: { raced: 'yes' } });
    const replies = await Promise.all(
      Array.from({ length: 12 }, (_, at) => put(`${digestOf(body)}?tag=race-${at % 3}&tag=race-${(at + 1) % 3}`, body)),
    );
    expect(replies.map((reply) => reply.status)).toEqual(Array.from({ length: 12 }, () => 201));
  });

  it.each([
    ['not JSON', 'nonsense'],
    ['empty', ''],
    ['a list', '[]'],
    ['null', 'null'],
    ['a byte order mark', `\ufeff${image()}`],
    ['a member twice', image().replace('{', '{"layers":[],')],
    ['nested a million deep', `{"a":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}`],
    ['__proto__', image().replace('{', '{"__proto__":{"layers":[]},')],
    ['case variants', image().replace('{', '{"Layers":[],')],
    ['layers and manifests', image({ manifests: [] })],
    ['no config', JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, layers: [] })],
    ['layers of the wrong type', image({ layers: { 0: 'x' } })],
    ['a size below zero', image({ layers: [{ ...descriptor(OCI_LAYER, 'layer'), size: -1 }] })],
    ['a digest that is none', image({ layers: [{ mediaType: OCI_LAYER, size: 1, digest: 'sha256:zz' }] })],
    ['100,000 layers', `{"schemaVersion":2,"config":{},"layers":[${'{},'.repeat(99_999)}{}]}`],
    ['annotations that are no strings', image({ annotations: { a: 1 } })],
  ])('refuses %s as MANIFEST_INVALID and goes on', async (_, body) => {
    const reply = await put('hostile', body);
    expect([reply.status, reply.code]).toEqual([400, 'MANIFEST_INVALID']);
    expect((await registry.call('HEAD', '/v2/front/app/manifests/hostile')).status).toBe(404);
  });

  it('takes an index of 1,000 children, refuses one of more', async () => {
    const child = descriptor(OCI_LAYER, 'layer');
    const reply = (count: number) => put('wide', index(...Array.from({ length: count }, () => child)), OCI_INDEX);
    expect((await reply(1000)).status).toBe(201);
    const refused = await reply(1001);
    expect([refused.status, refused.code]).toEqual([400, 'MANIFEST_INVALID']);
  });

  it('refuses bytes that are not UTF-8', async () => {
    const bytes = Buffer.from(image({ annotations: { a: 'XX' } }));
    bytes[bytes.indexOf('XX')] = 0xff;
    expect((await put('hostile', bytes)).code).toBe('MANIFEST_INVALID');
  });
});

function image(additions: object = {}): string {
  return JSON.stringify(imageManifest('{}', ['layer'], additions));
}

/** An image manifest of exactly that many bytes. */
function padded(size: number): string {
  const bare = image({ annotations: { pad: '' } });
  return image({ annotations: { pad: 'x'.repeat(size - bare.length) } });
}

function index(...manifests: object[]): string {
  return JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests });
}

async function* inPieces(text: string): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < text.length; at += 100_000) {
    await Promise.resolve();
    yield Buffer.from(text.slice(at, at + 100_000));
  }
}
