import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { KubernetesError } from '../kubernetes/errors.ts';
import { DAY, NOW } from '../verdicts/world.testing.ts';
import { startApi, type TestApi } from './world.testing.ts';

describe.each(ENGINES)('audits of a cluster over the management API on %s', (engine) => {
  let api: TestApi;
  let pass: () => Promise<{ readonly cluster: string }>;
  beforeAll(async () => {
    api = await startApi(engine, { guard: { manifests: () => '', auditNow: () => pass() } });
  });
  afterAll(() => api.close());

  const violation = {
    constraint: 'require-harbor-repo',
    action: 'warn',
    kind: 'Deployment',
    namespace: 'demo',
    name: 'web',
    message: 'container "web" has an invalid image repo "quay.io/x/web:1", allowed repos are ["harbor.example.com"]',
  };
  const image = { namespace: 'demo', kind: 'Deployment', name: 'web', container: 'web', image: 'quay.io/x/web:1' };

  it('runs a pass and shows what it found', async () => {
    pass = async () => {
      await api.deps.cluster.recordAudit({
        cluster: 'production',
        startedAt: NOW - DAY,
        finishedAt: NOW,
        objects: 7,
        violations: [{ ...violation, group: 'apps', version: 'v1' }],
        running: [image],
        incomplete: [],
      });
      return { cluster: 'production' };
    };
    const run = await api.call('POST', '/cluster/audit', { as: 'admin' });
    expect(run.status, run.text).toBe(200);
    const summary = {
      cluster: 'production',
      startedAt: new Date(NOW - DAY).toISOString(),
      finishedAt: new Date(NOW).toISOString(),
      objects: 7,
      violations: 1,
      incomplete: [],
    };
    expect(run.json).toMatchObject(summary);
    const found = await api.call('GET', '/cluster/violations', { as: 'admin' });
    expect(found.json).toMatchObject({ runs: [{ ...summary, items: [violation] }] });
    const running = await api.call('GET', '/cluster/images', { as: 'admin' });
    const seen = new Date(NOW).toISOString();
    const all = await api.call('GET', '/cluster/findings?namespace=demo&kind=Deployment', { as: 'admin' });
    expect(all.json).toEqual({
      items: [{ from: 'audit', cluster: 'production', ...violation, group: 'apps', version: 'v1', firstSeen: seen }],
    });
    expect((await api.call('GET', '/cluster/findings?namespace=other', { as: 'admin' })).json).toEqual({ items: [] });
    const wrong = await api.call('GET', '/cluster/findings?after=x', { as: 'admin' });
    expect(wrong.json).toMatchObject({ status: 400, code: 'request_invalid' });
    expect(running.json.items).toEqual([{ cluster: 'production', ...image, firstSeen: seen, lastSeen: seen }]);
  });

  it('says why a cluster could not be audited, and that it was not our fault', async () => {
    pass = () => Promise.reject(new KubernetesError('denied', 'the API server refused: pods is forbidden'));
    const reply = await api.call('POST', '/cluster/audit', { as: 'admin' });
    expect(reply.json).toMatchObject({
      status: 502,
      code: 'failed',
      detail: 'the cluster could not be audited: the API server refused: pods is forbidden',
    });
  });

  it('does not show what went wrong inside', async () => {
    pass = () => Promise.reject(new Error('connect ECONNREFUSED secret-host:5432'));
    const reply = await api.call('POST', '/cluster/audit', { as: 'admin' });
    expect(reply.json).toMatchObject({ status: 500, code: 'internal' });
    expect(reply.text).not.toContain('secret-host');
  });
});
