import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { DAY, NOW } from '../verdicts/world.testing.ts';
import { startApi, type TestApi } from './world.testing.ts';

const because = { reason: 'the release was taken over', ticket: 'INC-42' };
const reason = { reason: 'because' };

describe.each(ENGINES)('quarantine and trust over the API on %s', (engine) => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startApi(engine);
  });
  afterAll(() => api.close());

  it('puts a package under quarantine at once, shows what that stops, and lets it go when two agree', async () => {
    const subject = await api.world.push('front/app', [{ packages: ['npm:event-stream@3.3.6'] }], '1');
    await api.db
      .insertInto('running_images')
      .values({
        cluster: 'c',
        namespace: 'shop',
        kind: 'Deployment',
        name: 'web',
        container: 'web',
        image: 'registry.example.com/front/app:1',
        digest: subject.digest,
        first_seen: NOW,
        last_seen: NOW,
      })
      .execute();
    const body = { target: 'pkg:npm/event-stream', versions: '>= 3.3.6, < 3.3.7', ...because };
    expect((await api.call('POST', '/quarantines', { as: 'lead', body })).status).toBe(403);
    const added = await api.call('POST', '/quarantines', { as: 'admin', body });
    expect(added.json).toMatchObject({ state: 'active', verdicts: { judged: 1, blocked: 1, released: 0 } });
    expect((await api.call('GET', '/verdicts?image=front/app:1', { as: 'dev' })).json).toMatchObject({
      verdict: {
        kind: 'block',
        reasons: expect.arrayContaining([
          expect.objectContaining({
            rule: 'quarantine',
            message: expect.stringContaining('event-stream 3.3.6 in it is quarantined since'),
          }),
        ]),
      },
    });
    const path = `/quarantines/${String(added.json['id'])}`;
    expect((await api.call('GET', path, { as: 'root' })).json).toMatchObject({
      images: [{ repository: 'front/app', digest: subject.digest, tags: ['1'] }],
      imageCount: 1,
      running: [{ namespace: 'shop', name: 'web' }],
      runningCount: 1,
    });
    expect((await api.call('GET', '/quarantines', { as: 'eva' })).json.items).toHaveLength(1);
    const asked = await api.call('POST', `${path}/release`, { as: 'admin', body: reason });
    expect(asked.json).toMatchObject({ state: 'release-asked', verdicts: { judged: 0 } });
    const own = await api.call('POST', `${path}/release`, { as: 'admin', body: reason });
    expect([own.status, own.json['code']]).toEqual([403, 'four_eyes']);
    expect((await api.world.pull(subject)).kind).toBe('refuse');
    const over = await api.call('POST', `${path}/release`, { as: 'root', body: reason });
    expect(over.json).toMatchObject({ state: 'released', verdicts: { judged: 1, released: 1 } });
    expect((await api.world.pull(subject)).kind).toBe('serve');
    expect((await api.call('GET', '/quarantines', { as: 'eva' })).json.items).toEqual([]);
    expect((await api.call('GET', '/quarantines?released=true', { as: 'eva' })).json.items).toHaveLength(1);
  });

  it('says what is wrong with a target, and how to name it', async () => {
    const ask = async (target: string) =>
      api.call('POST', '/quarantines', { as: 'admin', body: { target, ...because } });
    for (const target of ['front/app:1', 'pkg:npm/x', 'nonsense', `pkg:npm/${'%'.repeat(300)}`]) {
      const reply = await ask(target);
      expect([reply.status, reply.json['code']], target).toEqual([400, 'quarantine_invalid']);
    }
    expect((await api.call('GET', '/quarantines/none', { as: 'admin' })).status).toBe(404);
  });

  it('says when nothing stored is meant, and what would mean it, and refuses what can mean nothing', async () => {
    await api.world.push('back/tls', [{ distribution: '3.23.3', packages: ['libssl3@3.3.2-r0'] }], '1');
    await api.db
      .updateTable('packages')
      .set({ source_name: 'openssl', source_version: '3.3.2-r0' })
      .where('name', '=', 'libssl3')
      .execute();
    const add = async (target: string) =>
      api.call('POST', '/quarantines', { as: 'admin', body: { target, ...because } });
    const own = await add('pkg:apk/libssl3@3.3.2-r0');
    expect(own.json).not.toHaveProperty('hint');
    const byName = await add('pkg:apk/openssl@3.3.2-r0');
    expect(byName.json['hint']).toContain(
      '1 hold packages built from that source: put pkg:apk/openssl@3.3.2-r0?arch=source under quarantine',
    );
    const bySource = await add('pkg:apk/openssl@3.3.2-r0?arch=source');
    expect(bySource.json).toMatchObject({ verdicts: { judged: expect.any(Number) } });
    expect(bySource.json).not.toHaveProperty('hint');
    expect((await add('pkg:npm/left-pad@1.0.0')).json['hint']).toMatch(/^no image that is stored here holds it yet/);
    const unknown = await add('pkg:apk/libssl3@3.3.2-r0?x=y');
    expect([unknown.status, unknown.json['detail']]).toEqual([
      400,
      expect.stringContaining('no package has "x" behind'),
    ]);
  });

  it('writes down what was measured where nobody wrote findings, and does not retire what is in use unasked', async () => {
    const proposal = {
      entry: 'registry.example.com/front/',
      criteria: 'ours',
      owner: 'platform',
      reviewDue: new Date(NOW + 30 * DAY).toISOString(),
    };
    const measured = await api.call('GET', '/trusted-sources/measure?entry=registry.example.com/front/', {
      as: 'guest',
    });
    expect(measured.json).toMatchObject({ images: 1, running: 1 });
    const proposed = await api.call('POST', '/trusted-sources', { as: 'guest', body: proposal });
    expect(proposed.json).toMatchObject({
      findings: expect.stringMatching(/^Measured: 1 image stored in 1 repository/),
      measured: { images: 1, running: 1, text: measured.json['text'] },
    });
    const hidden = await api.call('GET', '/trusted-sources/measure?entry=registry.example.com/front/', { as: 'eva' });
    const nothing = await api.call('GET', '/trusted-sources/measure?entry=registry.example.com/none/', { as: 'eva' });
    expect(hidden.json).toEqual({ ...nothing.json, at: expect.any(String) });
    const path = `/trusted-sources/${String(proposed.json['id'])}`;
    expect((await api.call('POST', `${path}/approve`, { as: 'admin', body: reason })).status).toBe(200);
    const refused = await api.call('POST', `${path}/retire`, { as: 'admin', body: reason });
    expect([refused.status, refused.json['code']]).toEqual([409, 'source_in_use']);
    expect(refused.json['detail']).toContain(
      '1 running image would not be trusted any more: registry.example.com/front/app:1 (Deployment shop/web of cluster c)',
    );
    expect((await api.call('GET', '/trusted-sources', { as: 'eva' })).json.items).toMatchObject([
      { state: 'approved' },
    ]);
    const meant = await api.call('POST', `${path}/retire`, { as: 'admin', body: { ...reason, evenInUse: true } });
    expect(meant.json).toMatchObject({ state: 'retired' });
  });
});
