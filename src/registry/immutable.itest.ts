import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { SYSTEM } from '../auth/principal.ts';
import { createSecretBox } from '../auth/secret-box.ts';
import { type GcWorld, startGcWorld } from '../gc/world.testing.ts';
import { digestOf } from '../oci/digest.ts';
import { OCI_MANIFEST } from '../oci/media-types.ts';
import { tagSelectionSchema } from '../policy/tag-selection.ts';
import { createProjectStore } from '../projects/project-store.ts';
import { setTag } from './content-store.ts';
import { findRepository } from './repositories.ts';
import { imageManifest, pushImage, pushManifest, type TestRegistry } from './testing.ts';

describe.each(ENGINES)('immutable tags on %s', (engine) => {
  let world: GcWorld;
  let registry: TestRegistry;
  beforeEach(async () => {
    world = await startGcWorld(engine);
    ({ registry } = world);
    await setRules({ tags: ['v*'], exceptTags: ['*-rc*'], repositories: ['app', 'team/**'] });
  });
  afterEach(() => registry.close());

  async function setRules(...rules: object[]): Promise<void> {
    const stored = rules.length === 0 ? null : JSON.stringify(rules.map((rule) => tagSelectionSchema.parse(rule)));
    await registry.db.updateTable('projects').set({ immutable_tags: stored }).where('name', '=', 'front').execute();
  }
  const remove = (path: string) => registry.call('DELETE', `/v2/front/app/${path}`);
  async function move(repository: string, tag: string): Promise<[status: number, code: string | undefined]> {
    await pushImage(registry, repository, tag);
    const reply = await registry.call('PUT', `/v2/${repository}/manifests/${tag}`, {
      headers: { 'content-type': OCI_MANIFEST },
      body: JSON.stringify(imageManifest(`{"config for":"${tag}"}`, [])),
    });
    return [reply.status, reply.code];
  }

  it('stay where they were first pushed', async () => {
    const { digest, bytes } = await pushImage(registry, 'front/app', 'v1');
    const again = { headers: { 'content-type': OCI_MANIFEST }, body: bytes };
    expect((await registry.call('PUT', '/v2/front/app/manifests/v1', again)).status).toBe(201);
    const body = JSON.stringify(imageManifest('{"config for":"v1"}', []));
    const other = { headers: { 'content-type': OCI_MANIFEST }, body };
    for (const path of ['v1', `${digestOf(body)}?tag=free&tag=v1`]) {
      const moved = await registry.call('PUT', `/v2/front/app/manifests/${path}`, other);
      expect([moved.status, moved.code]).toEqual([403, 'DENIED']);
      expect(moved.body.toString()).toContain(
        `front/app:v1 is immutable by the rule \\"v*,!*-rc* in app,team/**\\" of project \\"front\\": it stays at ${digest}; push under another tag`,
      );
    }
    // A push that is refused has done nothing.
    expect((await registry.call('GET', '/v2/front/app/manifests/free')).status).toBe(404);
    expect((await registry.call('GET', `/v2/front/app/manifests/${digestOf(body)}`)).status).toBe(404);
    expect((await registry.call('GET', '/v2/front/app/manifests/v1')).headers['docker-content-digest']).toBe(digest);
  });

  it.each([
    ['front/app', 'v1', 403],
    ['front/app', 'v1-rc.1', 201],
    ['front/app', 'latest', 201],
    ['front/other', 'v1', 201],
    ['front/team/a/b', 'v2', 403],
    ['back/app', 'v1', 201],
  ])('in %s: moving %s is answered %d', async (repository, tag, status) => {
    expect((await move(repository, tag))[0]).toBe(status);
  });

  it('cannot be deleted, nor anything they are made of, until the rule is changed', async () => {
    const image = await pushImage(registry, 'front/app', 'child');
    const manifests = [{ mediaType: OCI_MANIFEST, digest: image.digest, size: image.bytes.length }];
    const index = await pushManifest(registry, 'front/app', { schemaVersion: 2, manifests }, 'v1');
    const targets = ['manifests/v1', `manifests/${index.digest}`, `manifests/${image.digest}`, `blobs/${image.layer}`];
    for (const path of targets) {
      const reply = await remove(path);
      expect([path, reply.status, reply.code]).toEqual([path, 403, 'DENIED']);
      expect(reply.body.toString()).toContain('it cannot be deleted, nor what it is made of');
    }
    // The tag beside it is free.
    expect((await remove('manifests/child')).status).toBe(202);
    await world.runLater();
    await world.runLater();
    for (const path of targets) expect((await registry.call('GET', `/v2/front/app/${path}`)).status, path).toBe(200);
    await setRules();
    for (const path of targets.filter((path) => path !== 'manifests/v1')) expect((await remove(path)).status).toBe(202);
  });

  it('keep their project from being deleted, also by force', async () => {
    const projects = createProjectStore({ ...world.deps, box: createSecretBox(Buffer.alloc(32, 7)) });
    await pushImage(registry, 'front/app', 'v1');
    await expect(projects.remove(SYSTEM, 'front', { force: true })).rejects.toMatchObject({
      code: 'project_immutable',
      message: expect.stringContaining('front/app:v1') as unknown,
    });
    await setRules();
    await projects.remove(SYSTEM, 'front', { force: true });
  });

  it('of mirrors follow their upstream', async () => {
    const { digest } = await pushImage(registry, 'front/app', 'v1');
    const other = await pushImage(registry, 'front/app', 'other');
    const repository = await findRepository(registry.db, 'front/app');
    await setTag(registry.deps, repository!.id, 'v1', other.digest);
    const found = await registry.call('HEAD', '/v2/front/app/manifests/v1');
    expect(found.headers['docker-content-digest']).toBe(other.digest);
    expect(other.digest).not.toBe(digest);
  });
});
