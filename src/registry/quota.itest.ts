import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { type GcWorld, startGcWorld } from '../gc/world.testing.ts';
import { digestOf } from '../oci/digest.ts';
import { OCI_MANIFEST } from '../oci/media-types.ts';
import { foldUsage } from '../usage/fold.ts';
import { readUsage } from '../usage/usage.ts';
import {
  imageManifest,
  pushBlob,
  pushImage,
  pushManifest,
  type Reply,
  startRegistry,
  type TestRegistry,
} from './testing.ts';

const UPLOADS = '/v2/front/app/blobs/uploads/';

function messageOf({ body }: Reply): string | undefined {
  return (JSON.parse(body.toString()) as { errors: { message: string }[] }).errors[0]?.message;
}

async function* inPieces(content: string) {
  for (const piece of content.match(/.{1,10}/gs) ?? []) yield Buffer.from(piece);
}

describe.each(ENGINES)('quotas on %s', (engine) => {
  let world: GcWorld;
  let registry: TestRegistry;
  beforeEach(async () => {
    world = await startGcWorld(engine);
    ({ registry } = world);
  });
  afterEach(() => registry.close());

  const setQuota = (bytes: number | null) =>
    registry.db.updateTable('projects').set({ quota: bytes }).where('name', '=', 'front').execute();
  const used = async () => (await readUsage(registry.db, 'project-front'))[0]?.bytes;
  const whole = (content: string, path = UPLOADS) =>
    registry.call('POST', `${path}?digest=${digestOf(content)}`, { body: content });
  async function push(tag: string) {
    await pushBlob(registry, 'front/app', '{}');
    const reply = await registry.call('PUT', `/v2/front/app/manifests/${tag}`, {
      headers: { 'content-type': OCI_MANIFEST },
      body: JSON.stringify(imageManifest('{}', [])),
    });
    expect(reply.status).toBe(201);
    return reply.headers['warning'];
  }
  async function begin(): Promise<string> {
    const started = await registry.call('POST', UPLOADS);
    expect(started.status).toBe(202);
    return String(started.headers['location']);
  }

  it('refuse what does not fit, and say how full the project is and what to do', async () => {
    await setQuota(100);
    expect((await whole('a'.repeat(60))).status).toBe(201);
    const refused = await whole('b'.repeat(41));
    expect([refused.status, refused.code]).toEqual([403, 'DENIED']);
    expect(messageOf(refused)).toBe(
      'project "front" uses 60 B of its quota of 100 B: 41 B more cannot be pushed to it; delete images that are not needed, or ask an administrator for a larger quota',
    );
    expect((await whole('b'.repeat(40))).status).toBe(201);
    const full = await registry.call('POST', UPLOADS);
    expect([full.status, full.code]).toEqual([403, 'DENIED']);
    expect(messageOf(full)).toContain('uses 100 B of its quota of 100 B: nothing more can be pushed');
    expect((await whole('c', '/v2/back/app/blobs/uploads/')).status).toBe(201);
  });

  it('let one push again what is there, and mount within the project, also when it is full', async () => {
    const pushed = await pushImage(registry, 'front/app', '1');
    await setQuota((await used()) ?? 0);
    const [config, layer] = ['{"config for":"1"}', 'layer of 1'];
    for (const content of [config, layer]) {
      const mounted = await registry.call(
        'POST',
        `/v2/front/other/blobs/uploads/?mount=${digestOf(content)}&from=front/app`,
      );
      expect(mounted.status, mounted.body.toString()).toBe(201);
    }
    for (const path of ['front/app/manifests/again', 'front/other/manifests/1']) {
      const reply = await registry.call('PUT', `/v2/${path}`, {
        headers: { 'content-type': OCI_MANIFEST },
        body: pushed.bytes,
      });
      expect(reply.status, reply.body.toString()).toBe(201);
      expect(String(reply.headers['warning'])).toContain('project \\"front\\" uses 100 % of its quota');
    }
    const more = await registry.call('PUT', '/v2/front/app/manifests/2', {
      headers: { 'content-type': OCI_MANIFEST },
      body: JSON.stringify(imageManifest(config, [])),
    });
    expect([more.status, more.code]).toEqual([403, 'DENIED']);
    expect((await registry.call('GET', '/v2/front/app/manifests/2')).status).toBe(404);
  });

  it('count a mount from another project', async () => {
    await pushBlob(registry, 'back/app', 'x'.repeat(50));
    const mount = () => registry.call('POST', `${UPLOADS}?mount=${digestOf('x'.repeat(50))}&from=back/app`);
    await setQuota(49);
    expect((await mount()).code).toBe('DENIED');
    await setQuota(50);
    expect((await mount()).status).toBe(201);
    expect(await used()).toBe(50);
  });

  it.each(['POST', 'PATCH', 'PUT'] as const)(
    'break off a %s that says no length, and keep nothing of it',
    async (method) => {
      await setQuota(100);
      const content = 'z'.repeat(500);
      const path = method === 'POST' ? UPLOADS : await begin();
      const query = method === 'PATCH' ? '' : `?digest=${digestOf(content)}`;
      const reply = await registry.call(method, `${path}${query}`, { body: inPieces(content) });
      expect([reply.status, reply.code], reply.body.toString()).toEqual([403, 'DENIED']);
      expect(await registry.db.selectFrom('uploads').selectAll().execute()).toEqual([]);
      expect(await registry.blobs.stat(digestOf(content))).toBeUndefined();
      expect(await used()).toBe(0);
    },
  );

  it('refuse a chunk by its declared length, counting what the upload has', async () => {
    await setQuota(100);
    const path = await begin();
    expect((await registry.call('PATCH', path, { body: 'y'.repeat(80) })).status).toBe(202);
    const reply = await registry.call('PATCH', path, { body: 'y'.repeat(21) });
    expect([reply.status, reply.code]).toEqual([403, 'DENIED']);
    expect((await registry.call('GET', path)).status).toBe(404);
  });

  it('decide at the commit, and give the content up that had come by then', async () => {
    await setQuota(100);
    const content = 'late'.repeat(15);
    const path = await begin();
    expect((await registry.call('PATCH', path, { body: content })).status).toBe(202);
    expect((await whole('f'.repeat(60))).status).toBe(201);
    const late = await registry.call('PUT', `${path}?digest=${digestOf(content)}`);
    expect([late.status, late.code]).toEqual([403, 'DENIED']);
    expect((await registry.call('GET', `/v2/front/app/blobs/${digestOf(content)}`)).status).toBe(404);
    expect(await used()).toBe(60);
    await world.runLater();
    expect(await registry.blobs.stat(digestOf(content))).toBeUndefined();
  });

  it('never keep anybody from deleting, which makes room', async () => {
    const { digest } = await pushImage(registry, 'front/app', '1');
    await setQuota(1);
    expect((await whole('new')).code).toBe('DENIED');
    expect((await registry.call('DELETE', `/v2/front/app/manifests/${digest}`)).status).toBe(202);
    await world.runLater();
    await foldUsage(registry);
    expect(await used()).toBe(0);
    expect((await whole('n')).status).toBe(201);
  });

  it('warn from 85 % on, on the PUT of a manifest', async () => {
    await push('1');
    const size = (await used()) ?? 0;
    await setQuota(Math.ceil(size / 0.84));
    expect(await push('2')).toBeUndefined();
    await setQuota(Math.floor(size / 0.86));
    expect(await push('3')).toMatch(
      /^299 - "project \\"front\\" uses 86 % of its quota of \d+ B: pushes are refused when it is full/,
    );
  });

  it('are passed by what was under way only', async () => {
    await setQuota(100);
    const contents = Array.from({ length: 6 }, (_, at) => String(at).repeat(60));
    const replies = await Promise.all(contents.map((content) => whole(content)));
    const taken = replies.filter(({ status }) => status === 201).length;
    expect(taken).toBeGreaterThan(0);
    expect(await used()).toBe(taken * 60);
    // Now nothing is under way any more.
    if (taken > 1) expect((await whole('7')).code).toBe('DENIED');
    expect((await whole('8'.repeat(60))).code).toBe('DENIED');
  });

  it('have the sums folded when reading them would get dear, and not before', async () => {
    let told = 0;
    const other = await startRegistry(engine, 'memory', {
      onUsageBacklog: () => {
        told += 1;
      },
    });
    try {
      await other.db.updateTable('projects').set({ quota: 1e9 }).where('name', '=', 'front').execute();
      for (let at = 0; at <= 66; at += 1) {
        if (at === 64) expect(told).toBe(0);
        await pushBlob(other, 'front/app', `blob ${at}`);
      }
      expect(told).toBeGreaterThan(0);
      const before = told;
      await foldUsage(other);
      await pushBlob(other, 'front/app', 'one more');
      expect(told).toBe(before);
    } finally {
      await other.close();
    }
  });

  it('come from the installation unless the project has its own, which may be none', async () => {
    const other = await startRegistry(engine, 'memory', { defaultQuota: 10 });
    try {
      const push = (project: string) =>
        other.call('POST', `/v2/${project}/app/blobs/uploads/?digest=${digestOf('x'.repeat(11))}`, {
          body: 'x'.repeat(11),
        });
      for (const [project, quota] of [
        ['front', -1],
        ['back', 20],
      ] as const)
        await other.db.updateTable('projects').set({ quota }).where('name', '=', project).execute();
      expect([(await push('front')).status, (await push('back')).status]).toEqual([201, 201]);
      expect((await push('hub')).code).toBe('DENIED');
      await expect(pushManifest(other, 'hub/app', imageManifest('', []), '1')).rejects.toThrow();
    } finally {
      await other.close();
    }
  });
});
