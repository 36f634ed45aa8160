import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { ALPINE, advisoriesOf, DAY, gated, NOW } from '../verdicts/world.testing.ts';
import { startApi, type TestApi } from './world.testing.ts';

const FACTS = { [`${ALPINE}/musl`]: [{ id: 'CVE-2026-1', fixed: '2-r0', severity: 'high' as const }] };
const layers = [{ distribution: '3.23.3', packages: ['musl@1-r0'] }];
const inDays = (days: number) => new Date(NOW + days * DAY).toISOString();

describe.each(ENGINES)('simulations over the management API on %s', (engine) => {
  let api: TestApi;
  beforeEach(async () => {
    const database = advisoriesOf(FACTS);
    api = await startApi(engine, { advisories: { current: () => database } as TestApi['deps']['advisories'] });
    api.world.state.advisories = database;
    await api.world.push('front/app', layers, '1');
    await api.world.push('back/app', layers, '1');
  });
  afterEach(() => api.close());

  const ask = (body: object, project?: string, as = 'admin') =>
    api.call('POST', project === undefined ? '/simulations' : `/projects/${project}/simulations`, { as, body });

  it('say what a change would block, and the change, once made, does just that', async () => {
    const reply = await ask({ block: 'high' }, 'front', 'lead');
    expect(reply.status, reply.text).toBe(200);
    expect(reply.json).toMatchObject({
      images: { judged: 1, blockedBefore: 0, blocked: 1 },
      changes: [{ repository: 'front/app', before: 'warn', after: 'block', rules: ['severity-fixable'] }],
    });
    await api.call('PATCH', '/projects/front', { as: 'lead', body: { block: 'high', reason: 'strict' } });
    const verdict = await api.call('GET', '/verdicts?image=front/app:1', { as: 'lead' });
    expect(verdict.json['kind']).toBe('block');
    expect(verdict.json['summary']).toBe((reply.json['changes'] as { why: string }[])[0]?.why);
  });

  it('leave a policy that waits where it is, and so does the change, once made', async () => {
    const policy = { block: { fixable: 'high', unfixable: 'high' }, warn: { unfixable: 'high' } };
    const announced = { policy, reason: 'announced', effectiveFrom: inDays(9) };
    expect((await api.call('PUT', '/projects/front/policy', { as: 'lead', body: announced })).status).toBe(200);
    const set = { 'contact.link': 'https://example.com/x' };
    const foreseen = await ask({ set, until: inDays(20) }, 'front', 'lead');
    expect(foreseen.json, foreseen.text).toMatchObject({
      images: { blockedBefore: 0, blockedAfter: 0 },
      calendar: [{ at: inDays(9), event: 'policy-begins', subject: 'version 3', blocked: 1 }],
    });
    const edited = await api.call('PATCH', '/projects/front/policy', { as: 'lead', body: { set, reason: 'link' } });
    expect(edited.json, edited.text).toMatchObject({
      policy: { block: { fixable: 'off' }, contact: { link: set['contact.link'] } },
      coming: [{ from: inDays(9), policy: { ...policy, contact: { link: set['contact.link'] } } }],
    });
    expect((await api.call('GET', '/verdicts?image=front/app:1', { as: 'lead' })).json['kind']).toBe('warn');
    const refused = await api.call('POST', '/projects/front/policies/1/restore', { as: 'lead', body: { reason: 'x' } });
    expect(refused.json).toMatchObject({ status: 409, code: 'policy_waiting' });
    api.world.clock.set(NOW + 9 * DAY);
    expect((await api.call('GET', '/verdicts?image=front/app:1', { as: 'lead' })).json['kind']).toBe('block');
  });

  it('take single fields, exceptions and moments', async () => {
    await api.call('PUT', '/projects/front/policy', { as: 'lead', body: { policy: gated, reason: 'strict' } });
    const excepted = await ask(
      { exceptions: [{ vulnerability: 'CVE-2026-1', until: inDays(3) }], until: inDays(5) },
      'front',
      'lead',
    );
    expect(excepted.json, excepted.text).toMatchObject({
      images: { blockedBefore: 1, allowed: 1 },
      calendar: [{ at: inDays(3), event: 'exception-ends', blocked: 1 }],
    });
    const off = await ask({ set: { 'block.fixable': 'off' } }, 'front', 'lead');
    expect(off.json).toMatchObject({ images: { allowed: 1 } });
  });

  it('are for those who set the policy: of a project, or of all', async () => {
    expect((await ask({}, 'front', 'dev')).status).toBe(403);
    expect((await ask({}, undefined, 'lead')).status).toBe(403);
    expect((await ask({}, 'front', 'eva')).status).toBe(404);
    expect((await ask({}, undefined, 'admin')).json).toMatchObject({ images: { judged: 2 } });
  });

  it.each([
    ['an unknown field', { blok: 'high' }, /blok/],
    ['a field that a policy does not have', { set: { 'block.fixible': 'high' } }, /block\.fixible/],
    ['a value that a field cannot have', { set: { 'block.fixable': 'huge' } }, /block\.fixable/],
    ['a policy that is none', { policy: { block: 'high' } }, /the policy is not valid/],
    ['a moment that is over', { at: inDays(-1) }, /from now on/],
    ['a moment without a zone', { at: '2027-01-31T12:00:00' }, /at:/],
    ['a calendar that ends before it begins', { at: inDays(3), until: inDays(2) }, /after "at"/],
    ['an exception that is over', { exceptions: [{ vulnerability: 'CVE-2026-1', until: inDays(-1) }] }, /future/],
    ['an exception that is not there', { revoke: ['nothing'] }, /no exception "nothing"/],
    ['a trusted source', { retire: ['docker.io'] }, /leave the project out/],
  ])('refuse %s', async (_name, body, told) => {
    const reply = await ask(body, 'front', 'lead');
    expect(reply.status, reply.text).toBe(400);
    expect(reply.json['detail']).toMatch(told);
  });

  it('grant exceptions in all projects where none is named, and refuse entries that are not trusted', async () => {
    await api.call('PUT', '/projects/front/policy', { as: 'lead', body: { policy: gated, reason: 'strict' } });
    const exceptions = [{ vulnerability: 'CVE-2026-1', until: inDays(3) }];
    expect((await ask({ exceptions })).json).toMatchObject({ images: { judged: 2, blockedBefore: 1, allowed: 1 } });
    expect((await ask({ retire: ['docker.io'] })).json['detail']).toMatch(/"docker.io" is no trusted source/);
  });

  it('refuse a database that is none', async () => {
    const reply = await api.call('POST', '/simulations/advisories', {
      as: 'admin',
      body: Buffer.from('no database'),
      headers: { 'content-type': 'application/octet-stream' },
    });
    expect(reply.json).toMatchObject({ status: 400, code: 'not_a_database' });
  });
});
