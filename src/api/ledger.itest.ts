import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { verifyChain } from '../ledger/chain.ts';
import { systemClock } from '../platform/clock.ts';
import { defaultPolicy } from '../policy/policy.ts';
import { buildAdvisoryDatabase } from '../scanner/advisories/build.ts';
import { DAY, NOW } from '../verdicts/world.testing.ts';
import { bytesOf, dsse, openVexOf, testKey } from '../vex/signing.testing.ts';
import { ENDPOINTS } from './contract/index.ts';
import { PASSWORD, startApi, type TestApi } from './world.testing.ts';

const FEEDS = join(import.meta.dirname, '../scanner/advisories/testdata/feeds');
const inDays = (days: number) => new Date(NOW + days * DAY).toISOString();
const SECRET = 'a secret nobody may read in the ledger';
const reason = { reason: 'because' };
const analysis = { criteria: 'c', findings: 'f', owner: 'o', reviewDue: inDays(30) };
const about = (vulnerability: string) => ({ vulnerability, reason: 'r', until: inDays(10) });

interface Scene {
  readonly path: string;
  readonly as: string;
  readonly body?: unknown;
  /** What is sent as it is; advisories where nothing else is said. */
  readonly stream?: Buffer;
  /** What has to be there first; gives what stands for `{id}` in the path. */
  readonly before?: (api: TestApi) => Promise<string>;
  /** The line it leaves. */
  readonly line: string;
  readonly details?: object;
}

async function made(api: TestApi, path: string, as: string, body: unknown): Promise<string> {
  const reply = await api.call('POST', path, { as, body });
  expect(reply.status, reply.text).toBe(201);
  return String(reply.json['id']);
}

const asked =
  (vulnerability: string, grantedToo = false) =>
  async (api: TestApi) => {
    const id = await made(api, '/projects/front/exceptions', 'dev', about(vulnerability));
    if (grantedToo) await api.call('POST', `/projects/front/exceptions/${id}/grant`, { as: 'lead', body: reason });
    return id;
  };
const askedEverywhere =
  (vulnerability: string, grantedToo = false) =>
  async (api: TestApi) => {
    const id = await made(api, '/exceptions', 'eva', about(vulnerability));
    if (grantedToo) await api.call('POST', `/exceptions/${id}/grant`, { as: 'admin', body: reason });
    return id;
  };
const proposed =
  (entry: string, approvedToo = false) =>
  async (api: TestApi) => {
    const id = await made(api, '/trusted-sources', 'eva', { entry, ...analysis });
    if (approvedToo) await api.call('POST', `/trusted-sources/${id}/approve`, { as: 'admin', body: reason });
    return id;
  };
const KEY = testKey();
const author = (name: string, key: string) => ({
  name,
  key,
  products: ['**'],
  statuses: ['not_affected'],
  criteria: 'c',
  findings: 'f',
  owner: 'o',
  reviewDue: inDays(30),
});
const about1 = openVexOf({ vulnerability: { name: 'CVE-2026-0001' }, products: ['front/app'] });
const imported = async (api: TestApi) => {
  const path = '/projects/front/vex/documents?name=other';
  const reply = await api.call('POST', path, {
    as: 'dev',
    body: bytesOf({ ...about1, author: 'other' }),
    headers: { 'content-type': 'application/octet-stream' },
  });
  return String(reply.json['id']);
};
const quarantined =
  (target: string, askedToo = false) =>
  async (api: TestApi) => {
    const id = await made(api, '/quarantines', 'admin', { target, ticket: 'INC-1', ...reason });
    if (askedToo) await api.call('POST', `/quarantines/${id}/release`, { as: 'admin', body: reason });
    return id;
  };
const robot = (name: string) => async (api: TestApi) => {
  await made(api, '/robots?project=front', 'lead', { name, scopes: PULL });
  return `front+${name}`;
};
const receiver = (name: string) => async (api: TestApi) => {
  await made(api, '/receivers?project=front', 'lead', { name, ...MAIL });
  return name;
};
const MAIL = { kind: 'mail', target: { to: ['ann@example.com'] } };
const PULL = [{ project: 'front', permissions: ['repository:pull'] }];

/** One call that changes something for every call that can; a new one must be written down here. */
const SCENES: Readonly<Record<string, Scene>> = {
  createProject: { path: '/projects', as: 'admin', body: { name: 'new' }, line: 'admin project.create project/new' },
  updateProject: {
    path: '/projects/front',
    as: 'lead',
    body: { public: true },
    line: 'lead project.update project/front',
    details: { setting: 'public', before: false, after: true },
  },
  deleteProject: {
    path: '/projects/gone',
    as: 'admin',
    before: async (api) => made(api, '/projects', 'admin', { name: 'gone' }),
    line: 'admin project.delete project/gone',
  },
  setPolicy: {
    path: '/projects/front/policy',
    as: 'lead',
    body: { policy: { ...defaultPolicy, kev: { ...defaultPolicy.kev, action: 'block' } }, ...reason },
    line: 'lead policy.set project/front',
    details: { before: null, version: 1, reason: 'because' },
  },
  editPolicy: {
    path: '/projects/front/policy',
    as: 'lead',
    body: { set: { 'kev.action': 'ignore' }, ...reason },
    line: 'lead policy.set project/front',
    details: { reason: 'because' },
  },
  rollBackPolicy: {
    path: '/projects/front/policies/{id}/restore',
    as: 'lead',
    before: async (api) => {
      const items = (await api.call('GET', '/projects/front/policies', { as: 'lead' })).json['items'];
      const first = (items as { version: number }[]).at(-1)?.version;
      await api.call('PATCH', '/projects/front/policy', {
        as: 'lead',
        body: { set: { strictIndex: true }, ...reason },
      });
      return String(first);
    },
    body: reason,
    line: 'lead policy.set project/front',
  },
  setInstallationPolicy: {
    path: '/policy',
    as: 'admin',
    body: { policy: { endOfLife: 'block' }, ...reason },
    line: 'admin policy.set installation',
    details: { before: null, policy: { endOfLife: 'block' } },
  },
  editInstallationPolicy: {
    path: '/policy',
    as: 'admin',
    body: { lock: ['endOfLife'], ...reason },
    line: 'admin policy.set installation',
    details: { policy: { endOfLife: 'block', locked: ['endOfLife'] } },
  },
  rollBackInstallationPolicy: {
    path: '/policies/{id}/restore',
    as: 'admin',
    before: async (api) => {
      const items = (await api.call('GET', '/policies', { as: 'admin' })).json['items'];
      return String((items as { version: number }[]).at(-1)?.version);
    },
    body: reason,
    line: 'admin policy.set installation',
  },
  setMember: {
    path: '/projects/front/members/guest',
    as: 'lead',
    body: { role: 'maintainer' },
    line: 'lead member.set project/front',
    details: { user: 'guest', before: 'guest', after: 'maintainer' },
  },
  removeMember: {
    path: '/projects/back/members/eva',
    as: 'admin',
    before: async (api) => {
      await api.call('PUT', '/projects/back/members/eva', { as: 'admin', body: { role: 'guest' } });
      return '';
    },
    line: 'admin member.remove project/back',
    details: { user: 'eva', before: 'guest', after: null },
  },
  createUser: {
    path: '/users',
    as: 'admin',
    body: { name: 'ann', password: SECRET },
    line: 'admin user.create user/ann',
  },
  setPassword: {
    path: '/users/root/password',
    as: 'admin',
    body: { password: SECRET },
    line: 'admin user.set-password user/root',
  },
  changePassword: {
    path: '/users/current/password',
    as: 'guest',
    body: { password: SECRET },
    line: 'guest user.set-password user/guest',
  },
  setDisabled: {
    path: '/users/guest/disabled',
    as: 'admin',
    body: { disabled: true },
    line: 'admin user.disable user/guest',
    details: { before: false, after: true },
  },
  createRobot: {
    path: '/robots?project=front',
    as: 'lead',
    body: { name: 'made', scopes: PULL },
    line: 'lead robot.create robot/front+made',
  },
  rotateRobot: {
    path: '/robots/{id}/rotate',
    as: 'lead',
    before: robot('a'),
    body: {},
    line: 'lead robot.rotate robot/front+a',
  },
  finishRotation: {
    path: '/robots/{id}/finish-rotation',
    as: 'lead',
    before: async (api) => {
      const name = await robot('b')(api);
      await api.call('POST', `/robots/${name}/rotate`, { as: 'lead', body: {} });
      return name;
    },
    line: 'lead robot.finish-rotation robot/front+b',
  },
  setRobotDisabled: {
    path: '/robots/{id}/disabled',
    as: 'lead',
    before: robot('c'),
    body: { disabled: true },
    line: 'lead robot.disable robot/front+c',
    details: { before: false, after: true },
  },
  adoptRobot: {
    path: '/robots/{id}/adopt',
    as: 'admin',
    before: robot('d'),
    line: 'admin robot.adopt robot/front+d',
    details: { before: 'lead', after: 'admin' },
  },
  deleteRobot: { path: '/robots/{id}', as: 'lead', before: robot('e'), line: 'lead robot.delete robot/front+e' },
  addReceiver: {
    path: '/receivers?project=front',
    as: 'lead',
    body: { name: 'made', ...MAIL },
    line: 'lead notify.add receiver/front/made',
    details: { kind: 'mail', address: 'ann@example.com' },
  },
  removeReceiver: {
    path: '/receivers/{id}?project=front',
    as: 'lead',
    before: receiver('gone'),
    line: 'lead notify.remove receiver/front/gone',
  },
  testReceiver: {
    path: '/receivers/{id}/test?project=front',
    as: 'lead',
    before: receiver('tried'),
    line: 'lead notify.test receiver/front/tried',
    details: { outcome: 'failed' },
  },
  setReceiverPaused: {
    path: '/receivers/{id}/paused?project=front',
    as: 'lead',
    before: receiver('paused'),
    body: { paused: true },
    line: 'lead notify.pause receiver/front/paused',
    details: { before: false, after: true },
  },
  rotateReceiver: {
    path: '/receivers/{id}/rotate',
    as: 'admin',
    before: async (api) => {
      const target = { url: 'https://hooks.example.com/secret-part' };
      await made(api, '/receivers', 'admin', { name: 'rotated', kind: 'webhook', target });
      return 'rotated';
    },
    body: {},
    line: 'admin notify.rotate receiver/rotated',
  },
  resendMessages: {
    path: '/receivers/{id}/resend?project=front',
    as: 'lead',
    before: receiver('again'),
    body: {},
    line: 'lead notify.resend receiver/front/again',
    details: { messages: 0 },
  },
  requestException: {
    path: '/projects/front/exceptions',
    as: 'dev',
    body: about('CVE-2026-0001'),
    line: 'dev exception.request project/front',
  },
  grantException: {
    path: '/projects/front/exceptions/{id}/grant',
    as: 'lead',
    before: asked('CVE-2026-0002'),
    body: reason,
    line: 'lead exception.grant project/front',
    details: { before: 'requested', after: 'granted', reason: 'because' },
  },
  denyException: {
    path: '/projects/front/exceptions/{id}/deny',
    as: 'lead',
    before: asked('CVE-2026-0003'),
    body: reason,
    line: 'lead exception.deny project/front',
  },
  revokeException: {
    path: '/projects/front/exceptions/{id}/revoke',
    as: 'lead',
    before: asked('CVE-2026-0004', true),
    body: reason,
    line: 'lead exception.revoke project/front',
    details: { before: 'granted', after: 'revoked' },
  },
  requestExceptions: {
    path: '/projects/front/exceptions/several',
    as: 'dev',
    body: { exceptions: [about('CVE-2026-0011')] },
    line: 'dev exception.request project/front',
  },
  editException: {
    path: '/projects/front/exceptions/{id}',
    as: 'dev',
    before: asked('CVE-2026-0012'),
    body: { package: 'openssl' },
    line: 'dev exception.edit project/front',
    details: { package: 'openssl', before: { vulnerability: 'CVE-2026-0012' } },
  },
  renewException: {
    path: '/projects/front/exceptions/{id}/renew',
    as: 'dev',
    before: asked('CVE-2026-0013', true),
    body: { ...reason, until: inDays(20) },
    line: 'dev exception.request project/front',
  },
  decideExceptions: {
    path: '/projects/front/exceptions/decisions',
    as: 'lead',
    before: asked('CVE-2026-0014'),
    body: { ...reason, decision: 'grant', ids: ['{id}'] },
    line: 'lead exception.grant project/front',
  },
  requestExceptionEverywhere: {
    path: '/exceptions',
    as: 'eva',
    body: about('CVE-2026-0021'),
    line: 'eva exception.request installation',
  },
  requestExceptionsEverywhere: {
    path: '/exceptions/several',
    as: 'eva',
    body: { exceptions: [about('CVE-2026-0022')] },
    line: 'eva exception.request installation',
  },
  editExceptionEverywhere: {
    path: '/exceptions/{id}',
    as: 'eva',
    before: askedEverywhere('CVE-2026-0023'),
    body: { ticket: 'SEC-2' },
    line: 'eva exception.edit installation',
  },
  renewExceptionEverywhere: {
    path: '/exceptions/{id}/renew',
    as: 'eva',
    before: askedEverywhere('CVE-2026-0024', true),
    body: { ...reason, until: inDays(20) },
    line: 'eva exception.request installation',
  },
  grantExceptionEverywhere: {
    path: '/exceptions/{id}/grant',
    as: 'admin',
    before: askedEverywhere('CVE-2026-0025'),
    body: reason,
    line: 'admin exception.grant installation',
    details: { before: 'requested', after: 'granted' },
  },
  denyExceptionEverywhere: {
    path: '/exceptions/{id}/deny',
    as: 'admin',
    before: askedEverywhere('CVE-2026-0026'),
    body: reason,
    line: 'admin exception.deny installation',
  },
  decideExceptionsEverywhere: {
    path: '/exceptions/decisions',
    as: 'admin',
    before: askedEverywhere('CVE-2026-0027'),
    body: { ...reason, decision: 'deny', ids: ['{id}'] },
    line: 'admin exception.deny installation',
  },
  revokeExceptionEverywhere: {
    path: '/exceptions/{id}/revoke',
    as: 'admin',
    before: askedEverywhere('CVE-2026-0028', true),
    body: reason,
    line: 'admin exception.revoke installation',
  },
  linkUser: {
    path: '/users/guest/person',
    as: 'admin',
    body: { sameAs: 'eva' },
    line: 'admin user.link user/guest',
    details: { sameAs: 'eva', person: 'eva', accounts: ['eva', 'guest'] },
  },
  unlinkUser: {
    path: '/users/dev/person',
    as: 'admin',
    before: async (api) => {
      await api.call('PUT', '/users/dev/person', { as: 'admin', body: { sameAs: 'root' } });
      return '';
    },
    line: 'admin user.unlink user/dev',
    details: { accounts: ['root'] },
  },
  proposeSource: {
    path: '/trusted-sources',
    as: 'eva',
    body: { entry: 'one.example.com', ...analysis },
    line: 'eva trust.propose trust/one.example.com',
  },
  approveSource: {
    path: '/trusted-sources/{id}/approve',
    as: 'admin',
    before: proposed('two.example.com'),
    body: reason,
    line: 'admin trust.approve trust/two.example.com',
    details: { before: 'proposed', after: 'approved' },
  },
  reviewSource: {
    path: '/trusted-sources/{id}/review',
    as: 'admin',
    before: proposed('three.example.com', true),
    body: { ...reason, findings: 'none', reviewDue: inDays(60) },
    line: 'admin trust.review trust/three.example.com',
  },
  retireSource: {
    path: '/trusted-sources/{id}/retire',
    as: 'admin',
    before: proposed('four.example.com', true),
    body: reason,
    line: 'admin trust.retire trust/four.example.com',
    details: { before: 'approved', after: 'retired' },
  },
  addVexAuthor: {
    path: '/vex-authors',
    as: 'admin',
    body: author('Acme', KEY.pem),
    line: 'admin vex-author.add vex-author/Acme',
  },
  retireVexAuthor: {
    path: '/vex-authors/{id}/retire',
    as: 'admin',
    before: async (api) => made(api, '/vex-authors', 'admin', author('Bolt', testKey('ed25519').pem)),
    body: reason,
    line: 'admin vex-author.retire vex-author/Bolt',
    details: { reason: 'because' },
  },
  importVex: {
    path: '/projects/front/vex/documents?name=app.vex.json',
    as: 'dev',
    stream: bytesOf(about1),
    line: 'dev vex.import project/front',
    details: { name: 'app.vex.json', author: null, says: 'Acme', statements: 1 },
  },
  importVexEverywhere: {
    path: '/vex/documents',
    as: 'admin',
    before: async (api) => {
      await api.call('POST', '/vex-authors', { as: 'admin', body: author('Acme', KEY.pem) });
      return '';
    },
    stream: bytesOf(dsse(about1, KEY)),
    line: 'admin vex.import vex/',
    details: { format: 'openvex', statements: 1 },
  },
  withdrawVex: {
    path: '/projects/front/vex/documents/{id}/withdraw',
    as: 'lead',
    before: imported,
    body: reason,
    line: 'lead vex.withdraw project/front',
    details: { name: 'other', reason: 'because' },
  },
  addQuarantine: {
    path: '/quarantines',
    as: 'admin',
    body: { target: 'pkg:npm/one@1.0.0', ticket: 'INC-1', ...reason },
    line: 'admin quarantine.add quarantine/pkg:npm/one@1.0.0',
    details: { reason: 'because', ticket: 'INC-1' },
  },
  releaseQuarantine: {
    path: '/quarantines/{id}/release',
    as: 'admin',
    before: quarantined('pkg:npm/two@1.0.0'),
    body: reason,
    line: 'admin quarantine.ask-release quarantine/pkg:npm/two@1.0.0',
    details: { before: 'active', after: 'release-asked' },
  },
  keepQuarantine: {
    path: '/quarantines/{id}/keep',
    as: 'admin',
    before: quarantined('pkg:npm/three@1.0.0', true),
    body: reason,
    line: 'admin quarantine.keep quarantine/pkg:npm/three@1.0.0',
    details: { before: 'release-asked', after: 'active' },
  },
  importAdvisories: { path: '/advisories', as: 'admin', line: 'admin advisories.import' },
  runAudit: { path: '/cluster/audit', as: 'admin', line: 'admin cluster-audit.run cluster/production' },
  setQuota: {
    path: '/projects/front/quota',
    as: 'admin',
    body: { quota: 5000 },
    line: 'admin project.update project/front',
    details: { setting: 'quota', before: 'default', after: 5000 },
  },
  setImmutableTags: {
    path: '/projects/front/immutable-tags',
    as: 'lead',
    body: { rules: [{ tags: ['v*'] }] },
    line: 'lead project.update project/front',
    details: { setting: 'immutable-tags', before: [], after: ['v*'] },
  },
  setRetention: {
    path: '/projects/front/retention',
    as: 'lead',
    body: { rules: [{ keep: 'latest-pushed', count: 3 }] },
    line: 'lead retention.set project/front',
    details: { before: [], after: ['latest-pushed 3'] },
  },
  runRetention: {
    path: '/projects/front/retention/runs',
    as: 'lead',
    line: 'lead retention.run project/front',
    details: { examined: 0, removed: 0 },
  },
  runGc: { path: '/gc/runs', as: 'admin', body: {}, line: 'admin gc.run installation' },
  rescan: {
    path: '/rescans',
    as: 'admin',
    body: { failed: true },
    line: 'admin analysis.repeat installation',
    details: { failed: true },
  },
};

/** A guard asks what it has to know, and tells what it saw and said: no decisions, and nobody's. */
const OF_GUARDS = new Set(['guardFacts', 'reportAudit', 'reportFindings']);
/** Somebody asks what would be. */
const ONLY_ASK = new Set(['simulateProject', 'simulateAll', 'simulateAdvisories']);
const CHANGES = ENDPOINTS.filter(({ id, method }) => method !== 'GET' && !OF_GUARDS.has(id) && !ONLY_ASK.has(id));

describe.each(ENGINES)('every change over the management API on %s', (engine) => {
  let api: TestApi;
  let advisories: Buffer;
  beforeAll(async () => {
    api = await startApi(engine, {
      guard: {
        manifests: () => '',
        auditNow: async () => {
          const run = { cluster: 'production', startedAt: NOW - DAY, finishedAt: NOW, objects: 1 };
          await api.deps.cluster.recordAudit({ ...run, violations: [], running: [], incomplete: [] });
          return run;
        },
      },
    });
    const out = join(api.folder, 'advisories.sqlite.zst');
    await buildAdvisoryDatabase({ from: FEEDS, out, clock: systemClock });
    advisories = await readFile(out);
  });
  afterAll(() => api.close());

  const linesAfter = (seq: number) => api.deps.ledger.list({ after: seq, limit: 100 });

  it.each(CHANGES)('$id leaves one line', async (endpoint) => {
    const scene = SCENES[endpoint.id];
    expect(scene, `${endpoint.id} changes something: say how it is written down`).toBeDefined();
    if (!scene) return;
    const id = (await scene.before?.(api)) ?? '';
    const before = (await api.deps.ledger.head())?.seq ?? 0;
    const stream = endpoint.sends === 'stream';
    const reply = await api.call(endpoint.method, scene.path.replace('{id}', id), {
      as: scene.as,
      ...(stream
        ? { body: scene.stream ?? advisories, headers: { 'content-type': 'application/octet-stream' } }
        : { body: JSON.parse(JSON.stringify(scene.body ?? {}).replaceAll('{id}', id)) as unknown }),
    });
    expect(reply.status, reply.text).toBe(endpoint.status);
    const lines = await linesAfter(before);
    expect(lines.map(({ actor, action, target }) => `${actor} ${action} ${target}`)).toEqual([
      expect.stringContaining(scene.line),
    ]);
    expect(lines[0]?.details).toMatchObject(scene.details ?? {});
    const { secret } = reply.json;
    for (const hidden of [SECRET, ...(typeof secret === 'string' ? [secret] : [])])
      expect(JSON.stringify(lines)).not.toContain(hidden);
  });

  it.each(CHANGES)('$id leaves none when it is refused', async (endpoint) => {
    const scene = SCENES[endpoint.id];
    const before = (await api.deps.ledger.head())?.seq ?? 0;
    const reply = await api.call(endpoint.method, scene?.path.replace('{id}', 'front+none') ?? '', {
      body: scene?.body ?? {},
    });
    expect(reply.status).toBe(401);
    expect(await linesAfter(before)).toEqual([]);
  });

  it('names a robot with the person who answers for it, who is one person everywhere', async () => {
    const scopes = [{ project: 'front', permissions: ['exception:request', 'exception:read', 'project:read'] }];
    const created = await api.call('POST', '/robots?project=front', { as: 'lead', body: { name: 'asks', scopes } });
    const login = { as: 'robot$front+asks', password: String(created.json['secret']) };
    const me = await api.call('GET', '/users/current', login);
    expect(me.json).toEqual({ name: 'robot$front+asks', admin: false, anonymous: false, owner: 'lead' });
    const body = about('CVE-2026-0005');
    const request = await api.call('POST', '/projects/front/exceptions', { ...login, body });
    expect(request.json, request.text).toMatchObject({ requestedBy: 'robot$front+asks' });
    const [line] = await api.deps.ledger.list({ actor: 'robot$front+asks', limit: 10 });
    expect(line).toMatchObject({ action: 'exception.request', details: { person: 'lead' } });
    const grant = `/projects/front/exceptions/${String(request.json['id'])}/grant`;
    const own = await api.call('POST', grant, { as: 'lead', body: reason });
    expect(own.json).toMatchObject({ code: 'four_eyes', detail: expect.stringContaining('through robot$front+asks') });
    expect((await api.call('POST', grant, { as: 'admin', body: reason })).status).toBe(200);
    // What it was not given it may not, in its own project neither.
    expect((await api.call('POST', grant, { ...login, body: reason })).status).toBe(403);
    expect((await api.call('GET', '/robots?project=front', login)).status).toBe(403);
    expect((await api.call('GET', '/projects/back', login)).status).toBe(404);
    expect((await api.call('GET', '/trusted-sources', login)).status).toBe(403);
    expect((await api.call('PUT', '/users/current/password', { ...login, body: { password: PASSWORD } })).status).toBe(
      403,
    );
    expect((await api.call('GET', '/projects', login)).json.items?.map(({ name }) => name)).toContain('front');
  });

  it('is found by who, what, where and when, over the command’s own call', async () => {
    const found = async (query: string) =>
      (await api.call('GET', `/ledger?limit=1000&${query}`, { as: 'admin' })).json.items ?? [];
    const all = await found('');
    expect((await found('actor=lead')).map(({ seq }) => seq)).toEqual(
      all.filter(({ actor }) => actor === 'lead').map(({ seq }) => seq),
    );
    expect((await found('action=robot.create')).every(({ action }) => action === 'robot.create')).toBe(true);
    expect((await found('action=robot')).length).toBeGreaterThan((await found('action=robot.create')).length);
    const inBack = await found('project=back');
    expect(inBack.map(({ target }) => target)).toContain('project/back');
    expect(inBack.length).toBeLessThan(all.length);
    expect(await found('project=back&actor=nobody')).toEqual([]);
    expect((await api.call('GET', '/ledger?action=robot.%25', { as: 'admin' })).status).toBe(400);
    expect(verifyChain(await api.deps.ledger.list({ limit: 1000 }))).toBeUndefined();
  });
});
