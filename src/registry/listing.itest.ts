import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { type Digest, digestOf } from '../oci/digest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../oci/media-types.ts';
import {
  descriptor,
  imageManifest,
  type Pushed,
  pushBlob,
  pushImage,
  pushManifest,
  type Reply,
  startRegistry,
  type TestRegistry,
} from './testing.ts';

describe.each(ENGINES)('listing and deleting, on %s', (engine) => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await startRegistry(engine, 'memory');
  });
  afterAll(async () => registry.close());

  const get = (path: string, as?: string) => registry.call('GET', path, as === undefined ? {} : { as });
  const remove = (path: string) => registry.call('DELETE', path);
  const status = async (path: string) => (await get(path)).status;

  /** Follows the links from page to page. */
  async function walk<Entry>(start: string, entries: (reply: Reply) => Entry[]): Promise<Entry[][]> {
    const pages: Entry[][] = [];
    for (let path: string | undefined = start; path !== undefined && pages.length < 100; ) {
      const reply: Reply = await get(path);
      expect(reply.status).toBe(200);
      pages.push(entries(reply));
      path = /^<([^>]+)>; rel="next"$/.exec(String(reply.headers['link'] ?? ''))?.[1];
    }
    return pages;
  }

  describe('tags', () => {
    const names = ['2.0', 'B', 'Z9', '_x', 'a', 'a-b', 'a.b', 'aa', 'latest', 'z'];
    beforeAll(async () => {
      const image = await pushImage(registry, 'front/tags', 'latest');
      const query = [...names].reverse().map((tag) => `tag=${tag}`);
      await registry.call('PUT', `/v2/front/tags/manifests/${image.digest}?${query.join('&')}`, {
        headers: { 'content-type': OCI_MANIFEST },
        body: image.bytes,
      });
    });

    it('are listed bytewise with the name of the repository', async () => {
      const reply = await get('/v2/front/tags/tags/list');
      expect(JSON.parse(reply.body.toString())).toEqual({ name: 'front/tags', tags: names });
      expect(reply.headers['content-type']).toBe('application/json');
      expect(reply.headers['link']).toBeUndefined();
    });

    it('come in pages that miss none and repeat none', async () => {
      for (const n of [1, 3, 9, 10, 11]) {
        const pages = await walk(`/v2/front/tags/tags/list?n=${n}`, tagsOf);
        expect(pages.flat()).toEqual(names);
        expect(pages.length).toBe(Math.ceil(names.length / n));
      }
    });

    it('start after "last", which need not exist', async () => {
      expect(tagsOf(await get('/v2/front/tags/tags/list?last=a'))).toEqual(names.slice(5));
      expect(tagsOf(await get('/v2/front/tags/tags/list?last=a.a&n=2'))).toEqual(['a.b', 'aa']);
      expect(tagsOf(await get('/v2/front/tags/tags/list?last=zzz'))).toEqual([]);
    });

    it('n=0 gives an empty list and no link', async () => {
      const reply = await get('/v2/front/tags/tags/list?n=0');
      expect([reply.status, tagsOf(reply), reply.headers['link']]).toEqual([200, [], undefined]);
    });

    it.each(['-1', 'x', '1.5', ''])('n=%s answers 400', async (n) => {
      const reply = await get(`/v2/front/tags/tags/list?n=${n}`);
      expect([reply.status, reply.code]).toEqual([400, 'PAGINATION_NUMBER_INVALID']);
    });

    it('a repository without tags has an empty list, an unknown one is 404', async () => {
      await pushBlob(registry, 'front/untagged', 'x');
      expect(JSON.parse((await get('/v2/front/untagged/tags/list')).body.toString())).toEqual({
        name: 'front/untagged',
        tags: [],
      });
      expect((await get('/v2/front/unknown/tags/list')).code).toBe('NAME_UNKNOWN');
    });
  });

  describe('referrers', () => {
    const subject = descriptor(OCI_MANIFEST, 'the subject') as { digest: Digest };
    const path = `/v2/front/refer/referrers/${subject.digest}`;
    let typed: Pushed;
    let byConfig: Pushed;
    let index: Pushed;

    beforeAll(async () => {
      await pushBlob(registry, 'front/refer', '{}');
      const annotations = { 'org.example.é': 'yes', b: '' };
      typed = await pushManifest(
        registry,
        'front/refer',
        imageManifest('{}', [], { subject, artifactType: 'application/x.sbom+json', annotations }),
      );
      byConfig = await pushManifest(registry, 'front/refer', imageManifest('{}', [], { subject }));
      index = await pushManifest(registry, 'front/refer', {
        schemaVersion: 2,
        mediaType: OCI_INDEX,
        manifests: [],
        subject,
      });
      await pushManifest(
        registry,
        'front/refer',
        imageManifest('{}', [], { subject: descriptor(OCI_MANIFEST, 'other') }),
      );
    });

    it('are an image index of descriptors with type, size and all annotations', async () => {
      const reply = await get(path);
      expect([reply.status, reply.headers['content-type']]).toEqual([200, OCI_INDEX]);
      expect(JSON.parse(reply.body.toString())).toMatchObject({ schemaVersion: 2, mediaType: OCI_INDEX });
      const expected = [
        {
          ...descriptor(OCI_MANIFEST, typed.bytes),
          artifactType: 'application/x.sbom+json',
          annotations: { 'org.example.é': 'yes', b: '' },
        },
        { ...descriptor(OCI_MANIFEST, byConfig.bytes), artifactType: 'application/vnd.oci.image.config.v1+json' },
        descriptor(OCI_INDEX, index.bytes),
      ] as { digest: string }[];
      expect(manifestsOf(reply)).toEqual(expected.sort((a, b) => (a.digest < b.digest ? -1 : 1)));
      expect(reply.headers['oci-filters-applied']).toBeUndefined();
    });

    it('are filtered by artifactType, and say so', async () => {
      const reply = await get(`${path}?artifactType=${encodeURIComponent('application/x.sbom+json')}`);
      expect(manifestsOf(reply).map((entry) => entry.digest)).toEqual([typed.digest]);
      expect(reply.headers['oci-filters-applied']).toBe('artifactType');
      const none = await get(`${path}?artifactType=application/none`);
      expect([none.status, manifestsOf(none)]).toEqual([200, []]);
    });

    it('come in pages with Link, the filter included', async () => {
      const pages = await walk(`${path}?n=1`, manifestsOf);
      expect(pages.map((page) => page.length)).toEqual([1, 1, 1]);
      expect(new Set(pages.flat().map((entry) => entry.digest)).size).toBe(3);
      await pushManifest(
        registry,
        'front/refer',
        imageManifest('{}', [], { subject, artifactType: 'application/x.sbom+json' }),
      );
      const filtered = await walk(
        `${path}?n=1&artifactType=${encodeURIComponent('application/x.sbom+json')}`,
        manifestsOf,
      );
      expect(filtered.map((page) => page.length)).toEqual([1, 1]);
    });

    it('stay below the size of a manifest when annotations are large', async () => {
      const large = descriptor(OCI_MANIFEST, 'large') as { digest: Digest };
      for (const at of [1, 2, 3]) {
        const annotations = { large: String(at).repeat(2_000_000) };
        await pushManifest(registry, 'front/refer', imageManifest('{}', [], { subject: large, annotations }));
      }
      const pages = await walk(`/v2/front/refer/referrers/${large.digest}`, manifestsOf);
      expect(pages.map((page) => page.length)).toEqual([1, 1, 1]);
    });

    it('of an unknown digest are an empty index; a malformed digest is 400', async () => {
      const reply = await get(`/v2/front/refer/referrers/${digestOf('unknown')}`);
      expect([reply.status, manifestsOf(reply)]).toEqual([200, []]);
      expect((await get('/v2/front/refer/referrers/sha256:x')).code).toBe('DIGEST_INVALID');
    });

    it('disappear with their manifest', async () => {
      await registry.call('DELETE', `/v2/front/refer/manifests/${index.digest}`);
      expect(manifestsOf(await get(path)).map((entry) => entry.digest)).not.toContain(index.digest);
    });
  });

  describe('the catalogue', () => {
    it('lists what the caller may pull, in pages', async () => {
      for (const name of ['back/one', 'front/one', 'front/two', 'hub/one']) await pushBlob(registry, name, 'x');
      const all = repositoriesOf(await get('/v2/_catalog'));
      expect(all).toEqual([...all].sort());
      expect(all).toContain('back/one');
      expect((await walk('/v2/_catalog?n=2', repositoriesOf)).flat()).toEqual(all);
      expect(repositoriesOf(await get('/v2/_catalog', 'writer'))).toEqual(
        all.filter((name) => name.startsWith('front/')),
      );
      expect(repositoriesOf(await get('/v2/_catalog', 'nobody'))).toEqual([]);
      expect(repositoriesOf(await get('/v2/_catalog?n=0'))).toEqual([]);
    });
  });

  describe('deleting', () => {
    it('a tag takes the tag away and nothing else', async () => {
      const image = await pushImage(registry, 'front/gone', 'a');
      await pushImage(registry, 'front/gone', 'b');
      expect((await remove('/v2/front/gone/manifests/a')).status).toBe(202);
      expect(await status('/v2/front/gone/manifests/a')).toBe(404);
      expect(await status(`/v2/front/gone/manifests/${image.digest}`)).toBe(200);
      expect(await status('/v2/front/gone/manifests/b')).toBe(200);
      expect((await remove('/v2/front/gone/manifests/a')).code).toBe('MANIFEST_UNKNOWN');
    });

    it('a digest takes the manifest and all its tags away', async () => {
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

    it('a manifest can be pushed again after it was deleted', async () => {
      const image = await pushImage(registry, 'front/gone', 'e');
      await remove(`/v2/front/gone/manifests/${image.digest}`);
      await pushImage(registry, 'front/gone', 'e');
      expect(await status('/v2/front/gone/manifests/e')).toBe(200);
    });

    it('a blob is gone at once from this repository, mounted or not, and stays in others', async () => {
      const digest = await pushBlob(registry, 'front/gone', 'shared');
      await registry.call('POST', `/v2/back/gone/blobs/uploads/?mount=${digest}&from=front/gone`);
      expect((await remove(`/v2/back/gone/blobs/${digest}`)).status).toBe(202);
      expect(await status(`/v2/back/gone/blobs/${digest}`)).toBe(404);
      expect(await status(`/v2/front/gone/blobs/${digest}`)).toBe(200);
      expect((await remove(`/v2/back/gone/blobs/${digest}`)).code).toBe('BLOB_UNKNOWN');
      expect((await remove(`/v2/front/gone/blobs/${digest}`)).status).toBe(202);
      expect(await status(`/v2/front/gone/blobs/${digest}`)).toBe(404);
    });

    it('malformed digests are 400, unknown repositories 404', async () => {
      expect((await remove('/v2/front/gone/manifests/sha256:x')).code).toBe('DIGEST_INVALID');
      expect((await remove('/v2/front/gone/blobs/sha256:x')).code).toBe('DIGEST_INVALID');
      expect((await remove('/v2/front/never/manifests/x')).code).toBe('NAME_UNKNOWN');
      expect((await remove(`/v2/front/never/blobs/${digestOf('x')}`)).code).toBe('NAME_UNKNOWN');
    });
  });
});

function tagsOf(reply: Reply): string[] {
  return (JSON.parse(reply.body.toString()) as { tags: string[] }).tags;
}

function manifestsOf(reply: Reply): { digest: string }[] {
  return (JSON.parse(reply.body.toString()) as { manifests: { digest: string }[] }).manifests;
}

function repositoriesOf(reply: Reply): string[] {
  return (JSON.parse(reply.body.toString()) as { repositories: string[] }).repositories;
}
