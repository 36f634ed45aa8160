import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { digestOf } from '../oci/digest.ts';
import { pushBlob, pushImage, startRegistry, type TestRegistry } from './testing.ts';

/** What distribution-spec 1.1.1 and the next minor version demand of deletions (MUST). */
describe.each(ENGINES)('distribution-spec, content management, on %s', (engine) => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await startRegistry(engine, 'memory');
  });
  afterAll(async () => registry.close());

  const get = (path: string) => registry.call('GET', path);
  const remove = (path: string) => registry.call('DELETE', path);
  const status = async (path: string) => (await get(path)).status;

  it('end-9: a tag answers 202 and takes the tag away and nothing else', async () => {
    const image = await pushImage(registry, 'front/gone', 'a');
    await pushImage(registry, 'front/gone', 'b');
    expect((await remove('/v2/front/gone/manifests/a')).status).toBe(202);
    expect(await status('/v2/front/gone/manifests/a')).toBe(404);
    expect(await status(`/v2/front/gone/manifests/${image.digest}`)).toBe(200);
    expect(await status('/v2/front/gone/manifests/b')).toBe(200);
    expect((await remove('/v2/front/gone/manifests/a')).code).toBe('MANIFEST_UNKNOWN');
  });

  it('end-9: a digest answers 202 and takes the manifest and all its tags away', async () => {
    const image = await pushImage(registry, 'front/gone', 'c');
    await registry.call('PUT', `/v2/front/gone/manifests/${image.digest}?tag=d`, {
      headers: { 'content-type': image.mediaType },
      body: image.bytes,
    });
    expect((await remove(`/v2/front/gone/manifests/${image.digest}`)).status).toBe(202);
    for (const reference of ['c', 'd', image.digest])
      expect(await status(`/v2/front/gone/manifests/${reference}`)).toBe(404);
    expect((await remove(`/v2/front/gone/manifests/${image.digest}`)).status).toBe(404);
    expect(JSON.parse((await get('/v2/front/gone/tags/list')).body.toString())).toMatchObject({ tags: ['b'] });
  });

  it('end-9: a manifest can be pushed again after it was deleted', async () => {
    const image = await pushImage(registry, 'front/gone', 'e');
    await remove(`/v2/front/gone/manifests/${image.digest}`);
    await pushImage(registry, 'front/gone', 'e');
    expect(await status('/v2/front/gone/manifests/e')).toBe(200);
  });

  it('end-10: a blob answers 202 and is gone at once from this repository, mounted or not, and stays in others', async () => {
    const digest = await pushBlob(registry, 'front/gone', 'shared');
    await registry.call('POST', `/v2/back/gone/blobs/uploads/?mount=${digest}&from=front/gone`);
    expect((await remove(`/v2/back/gone/blobs/${digest}`)).status).toBe(202);
    expect(await status(`/v2/back/gone/blobs/${digest}`)).toBe(404);
    expect(await status(`/v2/front/gone/blobs/${digest}`)).toBe(200);
    expect((await remove(`/v2/back/gone/blobs/${digest}`)).code).toBe('BLOB_UNKNOWN');
    expect((await remove(`/v2/front/gone/blobs/${digest}`)).status).toBe(202);
    expect(await status(`/v2/front/gone/blobs/${digest}`)).toBe(404);
  });

  it('end-9, end-10: malformed digests are 400, unknown repositories 404', async () => {
    expect((await remove('/v2/front/gone/manifests/sha256:x')).code).toBe('DIGEST_INVALID');
    expect((await remove('/v2/front/gone/blobs/sha256:x')).code).toBe('DIGEST_INVALID');
    expect((await remove('/v2/front/never/manifests/x')).code).toBe('NAME_UNKNOWN');
    expect((await remove(`/v2/front/never/blobs/${digestOf('x')}`)).code).toBe('NAME_UNKNOWN');
  });
});
