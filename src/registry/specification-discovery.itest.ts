import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { type Digest, digestOf } from '../oci/digest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../oci/media-types.ts';
import { referrersTagOf } from '../oci/referrers-tag.ts';
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
  walkPages,
} from './testing.ts';

/** What distribution-spec 1.1.1 and the next minor version demand of listings (MUST). */
describe.each(ENGINES)('distribution-spec, content discovery, on %s', (engine) => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await startRegistry(engine, 'memory');
  });
  afterAll(async () => registry.close());

  const get = (path: string) => registry.call('GET', path);
  const walk = <Entry>(start: string, entries: (reply: Reply) => Entry[]) => walkPages(registry, start, entries);

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

    it('end-8a: tags are listed with the name of the repository, bytewise', async () => {
      const reply = await get('/v2/front/tags/tags/list');
      expect(JSON.parse(reply.body.toString())).toEqual({ name: 'front/tags', tags: names });
      expect(reply.headers['content-type']).toBe('application/json');
      expect(reply.headers['link']).toBeUndefined();
    });

    it('end-8b: n tags come at a time, with a Link to the next while there are more; none is missed or repeated', async () => {
      for (const n of [1, 3, 9, 10, 11]) {
        const pages = await walk(`/v2/front/tags/tags/list?n=${n}`, tagsOf);
        expect(pages.flat()).toEqual(names);
        expect(pages.length).toBe(Math.ceil(names.length / n));
      }
    });

    it('end-8b: tags begin after "last", which is not among them and need not exist', async () => {
      expect(tagsOf(await get('/v2/front/tags/tags/list?last=a'))).toEqual(names.slice(5));
      expect(tagsOf(await get('/v2/front/tags/tags/list?last=a.a&n=2'))).toEqual(['a.b', 'aa']);
      expect(tagsOf(await get('/v2/front/tags/tags/list?last=zzz'))).toEqual([]);
    });

    it('end-8b: n=0 gives an empty list and no Link', async () => {
      const reply = await get('/v2/front/tags/tags/list?n=0');
      expect([reply.status, tagsOf(reply), reply.headers['link']]).toEqual([200, [], undefined]);
    });

    it.each(['-1', 'x', '1.5', ''])('end-8b: n=%s answers 400', async (n) => {
      const reply = await get(`/v2/front/tags/tags/list?n=${n}`);
      expect([reply.status, reply.code]).toEqual([400, 'UNSUPPORTED']);
    });

    it('end-8a: a repository without tags has an empty list, an unknown one is 404', async () => {
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

    it('end-12a: are an image index of descriptors with artifactType (own, of the config, or none) and annotations', async () => {
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

    it('end-12b: are filtered by artifactType, and say so in OCI-Filters-Applied', async () => {
      const reply = await get(`${path}?artifactType=${encodeURIComponent('application/x.sbom+json')}`);
      expect(manifestsOf(reply).map((entry) => entry.digest)).toEqual([typed.digest]);
      expect(reply.headers['oci-filters-applied']).toBe('artifactType');
      const none = await get(`${path}?artifactType=application/none`);
      expect([none.status, manifestsOf(none)]).toEqual([200, []]);
    });

    it('end-12a, end-12b: come in pages with Link, the filter included', async () => {
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

    it('end-12a: are split by size too, so that each page is a manifest', async () => {
      const large = descriptor(OCI_MANIFEST, 'large') as { digest: Digest };
      for (const at of [1, 2, 3]) {
        const annotations = { large: String(at).repeat(2_000_000) };
        await pushManifest(registry, 'front/refer', imageManifest('{}', [], { subject: large, annotations }));
      }
      const pages = await walk(`/v2/front/refer/referrers/${large.digest}`, manifestsOf);
      expect(pages.map((page) => page.length)).toEqual([1, 1, 1]);
    });

    it('end-12a: of an unknown digest or repository are an empty index, never 404; a malformed digest is 400', async () => {
      const reply = await get(`/v2/front/refer/referrers/${digestOf('unknown')}`);
      expect([reply.status, manifestsOf(reply)]).toEqual([200, []]);
      const nowhere = await get(`/v2/front/never/referrers/${digestOf('unknown')}`);
      expect([nowhere.status, manifestsOf(nowhere)]).toEqual([200, []]);
      for (const malformed of ['sha256:x', 'x', 'md5:d41d8cd98f00b204e9800998ecf8427e']) {
        const refused = await get(`/v2/front/refer/referrers/${malformed}`);
        expect([refused.status, refused.code]).toEqual([400, 'DIGEST_INVALID']);
      }
    });

    it('end-12a: are those of indexes with an artifactType of their own, and of sha512 subjects', async () => {
      const wide = { mediaType: OCI_MANIFEST, digest: digestOf('wide', 'sha512'), size: 4 };
      const pushed = await pushManifest(registry, 'front/refer', {
        schemaVersion: 2,
        mediaType: OCI_INDEX,
        artifactType: 'application/x.list',
        manifests: [],
        subject: wide,
      });
      expect(manifestsOf(await get(`/v2/front/refer/referrers/${wide.digest}`))).toEqual([
        { ...descriptor(OCI_INDEX, pushed.bytes), artifactType: 'application/x.list' },
      ]);
    });

    it('upgrade: manifests listed under the tag of the old schema are in the list, once, with those pushed since', async () => {
      await pushBlob(registry, 'front/old', '{}');
      const old = descriptor(OCI_MANIFEST, 'old subject') as { digest: Digest };
      const attach = (by: string) =>
        pushManifest(registry, 'front/old', imageManifest('{}', [], { subject: old, annotations: { by } }));
      const listed = [await attach('cosign'), await attach('oras')];
      const unrelated = await pushManifest(registry, 'front/old', imageManifest('{}', []));
      const entries = [...listed, unrelated].map(({ bytes }) => descriptor(OCI_MANIFEST, bytes));
      await pushManifest(
        registry,
        'front/old',
        { schemaVersion: 2, mediaType: OCI_INDEX, manifests: entries },
        referrersTagOf(old.digest),
      );
      const since = await attach('notation');
      // What has no subject refers to nothing, whatever the index says.
      const found = manifestsOf(await get(`/v2/front/old/referrers/${old.digest}`)).map(({ digest }) => digest);
      expect(found).toEqual([...listed, since].map(({ digest }) => digest).sort());
    });

    it('end-12a: disappear with their manifest', async () => {
      await registry.call('DELETE', `/v2/front/refer/manifests/${index.digest}`);
      expect(manifestsOf(await get(path)).map((entry) => entry.digest)).not.toContain(index.digest);
    });
  });
});

function tagsOf(reply: Reply): string[] {
  return (JSON.parse(reply.body.toString()) as { tags: string[] }).tags;
}

function manifestsOf(reply: Reply): { digest: string }[] {
  return (JSON.parse(reply.body.toString()) as { manifests: { digest: string }[] }).manifests;
}
