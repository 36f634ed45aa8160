import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { type LedgerEntry, verifyChain } from '../ledger/chain.ts';
import { systemClock } from '../platform/clock.ts';
import { buildAdvisoryDatabase } from '../scanner/advisories/build.ts';
import { ALPINE, advisoriesOf, DAY, NOW } from '../verdicts/world.testing.ts';
import { type ApiReply, PASSWORD, startApi, type TestApi } from './world.testing.ts';

const FEEDS = join(import.meta.dirname, '../scanner/advisories/testdata/feeds');
const inDays = (days: number) => new Date(NOW + days * DAY).toISOString();
const facts = advisoriesOf({
  [`${ALPINE}/musl`]: [{ id: 'CVE-2019-14697', fixed: '1.2.6', severity: 'critical' }],
  [`${ALPINE}/zlib`]: [{ id: 'CVE-2018-25032', severity: 'low' }],
});
const LAYERS = [{ distribution: '3.23', packages: ['musl@1.2.5', 'zlib@1.2.11'] }];

describe.each(ENGINES)('the management API on %s', (engine) => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startApi(engine);
    api.world.state.advisories = facts;
  });
  afterAll(() => api.close());

  /** The call is expected to be answered with this status. */
  async function ok(status: number, ...call: Parameters<TestApi['call']>): Promise<ApiReply> {
    const reply = await api.call(...call);
    expect(reply.status, reply.text).toBe(status);
    return reply;
  }

  it('sets up projects in the short form, and shows each to whom may see it', async () => {
    const created = await ok(201, 'POST', '/projects', { as: 'admin', body: { name: 'gate', block: 'high' } });
    expect(created.json).toMatchObject({
      name: 'gate',
      public: false,
      createdBy: 'admin',
      policy: { block: { fixable: 'high', unfixable: 'high' }, warn: { fixable: 'high', unfixable: 'high' } },
    });
    expect(created.json['id']).toBeUndefined();
    await ok(201, 'POST', '/projects', { as: 'admin', body: { name: 'open', public: true } });
    const names = async (as?: string) =>
      (await ok(200, 'GET', '/projects', as ? { as } : {})).json.items?.map(({ name }) => name);
    expect(await names()).toEqual(['open']);
    expect(await names('dev')).toEqual(['front', 'open']);
    expect(await names('admin')).toEqual(['back', 'front', 'gate', 'open']);

    const changed = await ok(200, 'PATCH', '/projects/front', { as: 'lead', body: { block: 'high', warn: 'low' } });
    expect(changed.json).toMatchObject({ policy: { block: { fixable: 'high' }, warn: { unfixable: 'low' } } });
    // Only what was named has changed.
    await ok(200, 'PATCH', '/projects/front', { as: 'lead', body: { warn: 'high', reason: 'less noise' } });
    await ok(400, 'PATCH', '/projects/front', { as: 'lead', body: { warn: 'critical' } });
    const { json } = await ok(200, 'GET', '/projects/front/policies', { as: 'lead' });
    expect(json.items?.map(({ author, reason }) => [author, reason])).toEqual([
      ['lead', 'less noise'],
      ['lead', 'set by command'],
    ]);
    expect(json.items?.[0]).toMatchObject({ document: { block: { fixable: 'high' }, warn: { fixable: 'high' } } });
  });

  it('keeps upstreams to administrators, and their passwords to itself', async () => {
    const upstream = { url: 'https://registry.example.com', username: 'robot', password: 'very secret indeed' };
    await ok(403, 'PATCH', '/projects/front', { as: 'lead', body: { upstream } });
    const created = await ok(201, 'POST', '/projects', { as: 'admin', body: { name: 'hub', upstream } });
    expect(created.json).toMatchObject({ upstream: { url: upstream.url, username: 'robot', freshnessSeconds: 300 } });
    const everything = [
      created,
      await ok(200, 'GET', '/projects', { as: 'admin' }),
      await ok(200, 'GET', '/ledger?limit=1000', { as: 'admin' }),
    ];
    for (const { text } of everything) expect(text).not.toContain(upstream.password);
  });

  it('takes any fields of a policy, and refuses what is none', async () => {
    const { policy } = (await ok(200, 'GET', '/projects/back/policy', { as: 'admin' })).json as never;
    const body = { policy: { ...(policy as object), kev: { action: 'block' } }, reason: 'known to be exploited' };
    expect((await ok(200, 'PUT', '/projects/back/policy', { as: 'admin', body })).json).toMatchObject({
      policy: { kev: { action: 'block', graceDays: 0 } },
      origins: { 'kev.action': 'project', 'kev.graceDays': 'built-in' },
    });
    await ok(400, 'PUT', '/projects/back/policy', { as: 'admin', body: { policy: { kev: 'warn' }, reason: 'x' } });
    await ok(400, 'PUT', '/projects/back/policy', { as: 'admin', body: { ...body, reason: '' } });
  });

  it('gives the verdict with findings and coverage, by tag and by digest', async () => {
    const { digest } = await api.world.push('front/app', LAYERS, '1');
    const byTag = await ok(200, 'GET', '/verdicts?image=front/app:1', { as: 'guest' });
    expect(byTag.json).toMatchObject({
      image: 'front/app:1',
      repository: 'front/app',
      digest,
      kind: 'block',
      summary: expect.stringMatching(/^blocked: CVE-2019-14697 in musl 1\.2\.5 \(fixed in 1\.2\.6\)/),
      judgedAt: new Date(NOW).toISOString(),
      verdict: { kind: 'block', counts: { total: 2, fixable: 1 } },
      coverage: { distribution: { recognised: true }, missing: [], sources: [{ completeness: 'complete' }] },
    });
    expect((byTag.json['findings'] as { id: string }[]).map(({ id }) => id).sort()).toEqual([
      'CVE-2018-25032',
      'CVE-2019-14697',
    ]);
    const byDigest = await ok(200, 'GET', `/verdicts?image=front/app@${digest}`, { as: 'guest' });
    expect(byDigest.json).toEqual({ ...byTag.json, image: `front/app@${digest}` });
    const listed = await ok(200, 'GET', '/projects/front/repositories', { as: 'guest' });
    expect(listed.json.items).toMatchObject([{ name: 'front/app', tags: [{ name: '1', digest, verdict: 'block' }] }]);
  });

  it('lets an exception be asked for, granted by another person, and end', async () => {
    const about = { vulnerability: 'CVE-2019-14697', package: 'musl', reason: 'not reachable', until: inDays(10) };
    const asked = await ok(201, 'POST', '/projects/front/exceptions', { as: 'lead', body: about });
    expect(asked.json).toMatchObject({ ...about, state: 'requested', requestedBy: 'lead', expired: false });
    const one = `/projects/front/exceptions/${String(asked.json['id'])}`;
    const kind = async () => (await ok(200, 'GET', '/verdicts?image=front/app:1', { as: 'dev' })).json['kind'];
    expect(await kind()).toBe('block');

    const own = await ok(403, 'POST', `${one}/grant`, { as: 'lead', body: { reason: 'fine' } });
    expect(own.json).toMatchObject({ code: 'four_eyes' });
    await ok(403, 'POST', `${one}/grant`, { as: 'dev', body: { reason: 'fine' } });
    await ok(400, 'POST', `${one}/grant`, { as: 'admin', body: { reason: 'longer', until: inDays(20) } });
    const granted = await ok(200, 'POST', `${one}/grant`, {
      as: 'admin',
      body: { reason: 'seen the code', until: inDays(5) },
    });
    expect(granted.json).toMatchObject({ state: 'granted', decidedBy: 'admin', until: inDays(5), singleHanded: false });
    // The reply came after the verdict was renewed.
    const judged = await ok(200, 'GET', '/verdicts?image=front/app:1', { as: 'dev' });
    expect(judged.json).toMatchObject({ kind: 'allow', changesAt: inDays(5), verdict: { counts: { suppressed: 1 } } });
    await ok(409, 'POST', `${one}/grant`, { as: 'admin', body: { reason: 'again' } });
    await ok(409, 'POST', `${one}/deny`, { as: 'admin', body: { reason: 'too late' } });

    api.world.clock.set(NOW + 5 * DAY);
    expect(await kind()).toBe('block');
    const { json } = await ok(200, 'GET', '/projects/front/exceptions', { as: 'guest' });
    expect(json.items).toMatchObject([{ state: 'granted', expired: true }]);
    // What belongs to another project is not found in this one.
    await ok(404, 'POST', `${one.replace('front', 'back')}/revoke`, { as: 'admin', body: { reason: 'x' } });
  });

  it('takes a granted exception back, and turns a request down', async () => {
    const ask = async () => {
      const about = { vulnerability: 'CVE-2019-14697', reason: 'soon fixed', until: inDays(10) };
      const { json } = await ok(201, 'POST', '/projects/front/exceptions', { as: 'dev', body: about });
      return `/projects/front/exceptions/${String(json['id'])}`;
    };
    const kind = async () => (await ok(200, 'GET', '/verdicts?image=front/app:1', { as: 'dev' })).json['kind'];
    const one = await ask();
    await ok(200, 'POST', `${one}/grant`, { as: 'lead', body: { reason: 'agreed' } });
    expect(await kind()).toBe('allow');
    const revoked = await ok(200, 'POST', `${one}/revoke`, { as: 'admin', body: { reason: 'is reachable after all' } });
    expect(revoked.json).toMatchObject({ state: 'revoked', decidedBy: 'admin' });
    expect(await kind()).toBe('block');
    const denied = await ok(200, 'POST', `${await ask()}/deny`, { as: 'lead', body: { reason: 'not again' } });
    expect(denied.json).toMatchObject({ state: 'denied', decisionReason: 'not again' });
    expect(await kind()).toBe('block');
  });

  it('tells how a verdict changed, page by page', async () => {
    const seen: Record<string, unknown>[] = [];
    let path: string | undefined = '/verdicts/history?image=front/app:1&limit=2';
    while (path) {
      const { json } = await ok(200, 'GET', path, { as: 'guest' });
      expect(json.items?.length).toBeLessThanOrEqual(2);
      seen.push(...(json.items ?? []));
      path = json.next && `/verdicts/history?image=front/app:1&limit=2&after=${json.next}`;
    }
    const causes = seen.map(({ cause, kind }) => `${String(cause)}: ${String(kind)}`);
    expect(causes.at(-1)).toBe('push: block');
    expect(causes[0]).toMatch(/: block$/);
    expect(causes).toContain('exception: allow');
    expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);
  });

  it('keeps accounts: made, disabled, with new passwords, and never without an administrator', async () => {
    const body = { name: 'new', password: 'long enough to be one' };
    expect((await ok(201, 'POST', '/users', { as: 'admin', body })).json).toMatchObject({ name: 'new', admin: false });
    await ok(409, 'POST', '/users', { as: 'admin', body });
    await ok(400, 'POST', '/users', { as: 'admin', body: { name: 'weak', password: 'x' } });
    expect((await ok(200, 'GET', '/users/current', { as: 'new', password: body.password })).json).toEqual({
      name: 'new',
      admin: false,
      anonymous: false,
    });
    expect((await ok(200, 'GET', '/users/current')).json).toMatchObject({ anonymous: true });
    await ok(204, 'PUT', '/users/new/password', { as: 'admin', body: { password: PASSWORD } });
    await ok(401, 'GET', '/users/current', { as: 'new', password: body.password });
    await ok(200, 'GET', '/users/current', { as: 'new' });
    await ok(204, 'PUT', '/users/new/disabled', { as: 'admin', body: { disabled: true } });
    await ok(401, 'GET', '/users/current', { as: 'new' });
    await ok(404, 'PUT', '/users/none/disabled', { as: 'admin', body: { disabled: true } });
    await ok(204, 'PUT', '/users/root/disabled', { as: 'admin', body: { disabled: true } });
    await ok(409, 'PUT', '/users/admin/disabled', { as: 'admin', body: { disabled: true } });
    await ok(204, 'PUT', '/users/root/disabled', { as: 'admin', body: { disabled: false } });
    const listed = await ok(200, 'GET', '/users', { as: 'admin' });
    expect(listed.json.items).toContainEqual(expect.objectContaining({ name: 'new', disabled: true }));
    expect(listed.text).not.toMatch(/argon2|hash/);
  });

  it('changes who is what in a project', async () => {
    await ok(204, 'PUT', '/projects/front/members/eva', { as: 'lead', body: { role: 'guest' } });
    await ok(200, 'GET', '/projects/front', { as: 'eva' });
    await ok(403, 'PUT', '/projects/front/members/eva', { as: 'dev', body: { role: 'admin' } });
    await ok(400, 'PUT', '/projects/front/members/eva', { as: 'lead', body: { role: 'emperor' } });
    await ok(404, 'PUT', '/projects/front/members/none', { as: 'lead', body: { role: 'guest' } });
    const { json } = await ok(200, 'GET', '/projects/front/members', { as: 'lead' });
    expect(json.items).toContainEqual({ user: 'eva', role: 'guest' });
    await ok(204, 'DELETE', '/projects/front/members/eva', { as: 'lead' });
    await ok(404, 'GET', '/projects/front', { as: 'eva' });
  });

  it('keeps trusted sources from proposal to retirement, and prints them for a cluster', async () => {
    const analysis = { criteria: 'who builds it', findings: 'signed', owner: 'platform', reviewDue: inDays(90) };
    const proposed = await ok(201, 'POST', '/trusted-sources', {
      as: 'root',
      body: { entry: 'quay.io/team/', ...analysis },
    });
    expect(proposed.json).toMatchObject({ ...analysis, state: 'proposed', proposedBy: 'root' });
    const one = `/trusted-sources/${String(proposed.json['id'])}`;
    const manifests = async (query = '') => (await ok(200, 'GET', `/guard/manifests${query}`, { as: 'eva' })).text;
    expect(await manifests()).not.toContain('quay.io/team');
    expect((await ok(403, 'POST', `${one}/approve`, { as: 'root', body: { reason: 'ok' } })).json).toMatchObject({
      code: 'four_eyes',
    });
    const approved = await ok(200, 'POST', `${one}/approve`, { as: 'admin', body: { reason: 'read the analysis' } });
    expect(approved.json).toMatchObject({ state: 'approved', decidedBy: 'admin' });
    expect(await manifests()).toContain('quay.io/team');
    expect(await manifests()).toContain('enforcementAction: warn');
    expect(await manifests('?enforcement=deny&style=gatekeeper')).toMatch(/enforcementAction: deny[^]*quay\.io\/team/);
    await ok(409, 'POST', '/trusted-sources', { as: 'eva', body: { entry: 'quay.io/team/', ...analysis } });
    const doubtful = await ok(201, 'POST', '/trusted-sources', { as: 'eva', body: { entry: 'ghcr.io', ...analysis } });
    expect(doubtful.json['problems']).not.toEqual([]);
    await ok(200, 'POST', `${one}/retire`, { as: 'admin', body: { reason: 'not used' } });
    expect(await manifests()).not.toContain('quay.io/team');
    const { json } = await ok(200, 'GET', '/trusted-sources', { as: 'eva' });
    expect(json.items?.map(({ entry, state }) => [entry, state])).toEqual([
      ['ghcr.io', 'proposed'],
      ['quay.io/team/', 'retired'],
    ]);
  });

  it('installs an advisory database that is sent to it, and leaves nothing of one that is broken', async () => {
    const path = join(api.folder, 'new.sqlite.zst');
    const built = await buildAdvisoryDatabase({ from: FEEDS, out: path, clock: systemClock });
    const send = (content: Buffer) =>
      api.call('PUT', '/advisories', {
        as: 'admin',
        body: content,
        headers: { 'content-type': 'application/octet-stream' },
      });
    expect((await ok(200, 'GET', '/advisories', { as: 'eva' })).json).toEqual({});
    const content = await readFile(path);
    for (const broken of [Buffer.from('no database'), Buffer.alloc(0), content.subarray(0, content.length / 2)]) {
      const reply = await send(broken);
      expect(reply.status, reply.text).toBe(400);
    }
    expect((await send(content)).json).toMatchObject({ version: built.version, changed: true });
    expect((await send(content)).json).toMatchObject({ version: built.version, changed: false });
    expect(await readdir(api.deps.spoolDir)).toEqual([]);
    const status = await ok(200, 'GET', '/advisories', { as: 'eva' });
    expect(status.json).toMatchObject({ database: { version: built.version, sources: built.sources } });
    const kept = await api.db.selectFrom('advisory_versions').selectAll().execute();
    expect(kept).toMatchObject([{ version: built.version, imported_by: 'admin', built_at: Date.parse(built.builtAt) }]);
  });

  it('says that there is no cluster to audit', async () => {
    expect((await ok(409, 'POST', '/cluster/audit', { as: 'admin' })).json).toMatchObject({ code: 'not_configured' });
    expect((await ok(200, 'GET', '/cluster/violations', { as: 'admin' })).json).toEqual({ runs: [] });
  });

  it('has all of it in the ledger, in one chain, page by page', async () => {
    const lines: LedgerEntry[] = [];
    let path: string | undefined = '/ledger?limit=7';
    while (path) {
      const { json } = await ok(200, 'GET', path, { as: 'admin' });
      for (const { at, ...line } of json.items ?? [])
        lines.push({ ...line, at: Date.parse(String(at)) } as LedgerEntry);
      path = json.next && `/ledger?limit=7&after=${json.next}`;
    }
    expect(verifyChain(lines, { seq: 0, hash: '' })).toBeUndefined();
    expect(lines.at(-1)?.seq).toBe((await api.deps.ledger.head())?.seq);
    const steps = lines.map(({ actor, action }) => `${actor} ${action}`);
    for (const step of [
      'admin project.create',
      'lead policy.set',
      'lead exception.request',
      'admin exception.grant',
      'admin exception.revoke',
      'admin user.create',
      'admin user.disable',
      'lead member.set',
      'lead member.remove',
      'root trust.propose',
      'admin trust.approve',
      'admin trust.retire',
      'admin advisories.import',
    ])
      expect(steps).toContain(step);
    const ofFront = await ok(200, 'GET', '/ledger?target=project/front&limit=1000', { as: 'admin' });
    expect(new Set(ofFront.json.items?.map(({ target }) => target))).toEqual(new Set(['project/front']));
    const nothing = await ok(200, 'GET', '/ledger?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z', { as: 'admin' });
    expect(nothing.json).toEqual({ items: [] });
  });

  it('gives evidence as a file, and says in the ledger that it did', async () => {
    const path = '/evidence?from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00%2B01:00';
    const reply = await ok(200, 'GET', path, { as: 'admin' });
    expect(reply.headers['content-disposition']).toMatch(/^attachment; filename=".+\.json"$/);
    const html = await ok(200, 'GET', `${path}&format=html`, { as: 'admin' });
    expect(html.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(html.headers['content-disposition']).toMatch(/^attachment; filename=".+\.html"$/);
    await ok(400, 'GET', '/evidence?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z', { as: 'admin' });
  });

  it('deletes a project only when it is empty or that is asked for', async () => {
    expect((await ok(409, 'DELETE', '/projects/front', { as: 'admin' })).json).toMatchObject({
      code: 'project_not_empty',
    });
    await ok(204, 'DELETE', '/projects/front?force=true', { as: 'admin' });
    await ok(404, 'GET', '/projects/front', { as: 'admin' });
    await ok(404, 'GET', '/verdicts?image=front/app:1', { as: 'admin' });
    await ok(204, 'DELETE', '/projects/gate', { as: 'admin' });
  });
});
