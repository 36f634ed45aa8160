import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import { ANONYMOUS, type Principal } from '../auth/principal.ts';
import { createSecretBox, type SecretBox } from '../auth/secret-box.ts';
import type { DatabaseHandle } from '../db/database.ts';
import { createLedger, type Ledger } from '../ledger/ledger.ts';
import type { UpstreamSource } from '../mirror/upstreams.ts';
import { fixedClock } from '../platform/clock.ts';
import { createMemberStore, type MemberStore } from './member-store.ts';
import { createProjectStore, type ProjectStore } from './project-store.ts';
import { createUpstreamSource } from './upstream-source.ts';

const admin: Principal = { kind: 'user', id: 'id-admin', name: 'admin', admin: true };
const eva: Principal = { kind: 'user', id: 'id-eva', name: 'eva', admin: false };

describe.each(ENGINES)('projects on %s', (engine) => {
  let handle: DatabaseHandle;
  let projects: ProjectStore;
  let members: MemberStore;
  let ledger: Ledger;
  let box: SecretBox;
  beforeEach(async () => {
    handle = await freshDatabase(engine);
    const clock = fixedClock(7000);
    ledger = createLedger({ db: handle.db, clock });
    box = createSecretBox(randomBytes(32));
    projects = createProjectStore({ db: handle.db, clock, ledger, box });
    members = createMemberStore({ db: handle.db, clock, ledger });
    const user = { password_hash: '', admin: 0, disabled: 0, created_at: 0 } as const;
    await handle.db
      .insertInto('users')
      .values({ ...user, id: 'id-eva', name: 'eva' })
      .execute();
  });
  afterEach(() => handle.close());

  const names = async (principal: Principal) => (await projects.list(principal)).map(({ name }) => name);
  const actions = async () => (await ledger.list({ limit: 50 })).map(({ action }) => action);
  const store = async (projectId: string, name: string) => {
    const { db } = handle;
    const base = { repository_id: name, digest: 'sha256:1', created_at: 0 };
    await db.insertInto('repositories').values({ id: name, project_id: projectId, name, created_at: 0 }).execute();
    await db
      .insertInto('manifests')
      .values({
        ...base,
        media_type: 'm',
        kind: 'image',
        artifact_type: null,
        size: 1,
        content: new Uint8Array(1),
        subject: null,
        annotations: null,
        created_by: 'x',
      })
      .execute();
    await db
      .insertInto('tags')
      .values({ repository_id: name, name: 'v1', digest: 'sha256:1', updated_at: 0 })
      .execute();
    await db
      .insertInto('clocks')
      .values({ scope: `repository:${name}`, vulnerability: 'v', package: 'p', first_seen: 0 })
      .execute();
  };

  it('creates, opens and lists them for those who may see them', async () => {
    const front = await projects.create(admin, { name: 'front' });
    await projects.create(admin, { name: 'open', public: true });
    expect(front).toMatchObject({ name: 'front', public: false, createdBy: 'admin', createdAt: 7000 });
    expect([await names(admin), await names(eva), await names(ANONYMOUS)]).toEqual([
      ['front', 'open'],
      ['open'],
      ['open'],
    ]);
    await members.set(admin, front, 'eva', 'guest');
    expect(await names(eva)).toEqual(['front', 'open']);
    expect(await projects.setPublic(admin, 'front', true)).toMatchObject({ public: true });
    expect(await names(ANONYMOUS)).toEqual(['front', 'open']);
    await expect(projects.setPublic(admin, 'nowhere', true)).rejects.toMatchObject({ code: 'project_unknown' });
    expect(await actions()).toEqual(['project.create', 'project.create', 'member.set', 'project.update']);
  });

  it.each(['', 'Front', 'a/b', '-a', 'a-', 'a..b', 'a--b', '_a', 'a b', 'ä', 'a'.repeat(256), "a' or 1=1"])(
    'refuses the name %j',
    async (name) => {
      await expect(projects.create(admin, { name })).rejects.toMatchObject({ code: 'project_invalid' });
      expect(await projects.find(name)).toBeUndefined();
    },
  );

  it('takes the longest name, and each name once, also when asked for at the same time', async () => {
    await projects.create(admin, { name: 'a'.repeat(255) });
    const attempts = await Promise.allSettled(
      Array.from({ length: 4 }, () => projects.create(admin, { name: 'front' })),
    );
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await expect(projects.create(admin, { name: 'front' })).rejects.toMatchObject({ code: 'project_exists' });
    expect(await actions()).toHaveLength(2);
  });

  it('keeps the password of an upstream encrypted, and gives it to the mirror only', async () => {
    const source: UpstreamSource = createUpstreamSource({ ...handle, box });
    const upstream = { url: 'https://registry.example/prefix/', username: 'u', password: 'hunter2-secret' };
    const hub = await projects.create(admin, { name: 'hub', upstream });
    expect(hub.upstream).toEqual({ url: 'https://registry.example/prefix', username: 'u', freshnessSeconds: 300 });
    expect(await source.upstreamOf('hub')).toEqual({
      url: 'https://registry.example/prefix',
      credentials: { username: 'u', password: 'hunter2-secret' },
      freshnessSeconds: 300,
    });
    const everything = JSON.stringify([
      await handle.db.selectFrom('upstreams').selectAll().execute(),
      await ledger.list({ limit: 9 }),
    ]);
    expect(everything).not.toContain('hunter2-secret');
    // A secret moved to another project does not open.
    await projects.create(admin, { name: 'other', upstream });
    const { secret } = await handle.db
      .selectFrom('upstreams')
      .select('secret')
      .where('project_id', '=', hub.id)
      .executeTakeFirstOrThrow();
    await handle.db.updateTable('upstreams').set({ secret }).where('project_id', '!=', hub.id).execute();
    await expect(source.upstreamOf('other')).rejects.toMatchObject({ code: 'secret_unreadable' });
    await projects.setUpstream(admin, 'hub', { url: 'http://127.0.0.1:5000', freshnessSeconds: 0 });
    expect(await source.upstreamOf('hub')).toEqual({ url: 'http://127.0.0.1:5000', freshnessSeconds: 0 });
    expect((await projects.setUpstream(admin, 'hub', undefined)).upstream).toBeUndefined();
    expect([await source.upstreamOf('hub'), await source.upstreamOf('nowhere')]).toEqual([undefined, undefined]);
  });

  it.each([
    '',
    'registry.example',
    'ftp://a.example',
    'https://u:p@a.example',
    'https://a.example?x',
    'file:///etc/passwd',
    `https://a.example/${'x'.repeat(1100)}`,
  ])('refuses the upstream %j', async (url) => {
    await expect(projects.create(admin, { name: 'hub', upstream: { url } })).rejects.toMatchObject({
      code: 'upstream_invalid',
    });
    expect(await names(admin)).toEqual([]);
  });

  it('deletes what is empty, and more only when forced', async () => {
    const front = await projects.create(admin, { name: 'front' });
    const back = await projects.create(admin, { name: 'back' });
    await store(front.id, 'front/app');
    await store(back.id, 'back/app');
    await expect(projects.remove(admin, 'front')).rejects.toMatchObject({ code: 'project_not_empty' });
    await projects.remove(admin, 'front', { force: true });
    for (const table of ['repositories', 'manifests', 'tags', 'clocks'] as const)
      expect(await handle.db.selectFrom(table).selectAll().execute(), table).toHaveLength(1);
    await expect(projects.remove(admin, 'front')).rejects.toMatchObject({ code: 'project_unknown' });
    await projects.create(admin, { name: 'front' });
    await projects.remove(admin, 'front');
    expect(await names(admin)).toEqual(['back']);
  });

  it('keeps members', async () => {
    const front = await projects.create(admin, { name: 'front' });
    await members.set(admin, front, 'eva', 'guest');
    await members.set(admin, front, 'eva', 'developer');
    expect(await members.list(front)).toEqual([{ user: 'eva', role: 'developer' }]);
    await members.remove(admin, front, 'eva');
    await expect(members.remove(admin, front, 'eva')).rejects.toMatchObject({ code: 'member_unknown' });
    await expect(members.set(admin, front, 'tom', 'guest')).rejects.toMatchObject({ code: 'member_unknown' });
    expect(await members.list(front)).toEqual([]);
  });
});
