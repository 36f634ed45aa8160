import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import type { DatabaseHandle } from '../db/database.ts';
import {
  type AdmissionFindingRow,
  type AdmissionFindingStore,
  createAdmissionFindingStore,
} from './admission-findings.ts';
import { type ClusterAuditStore, createClusterAuditStore } from './audit-store.ts';

const DAY = 86_400_000;
const denied: AdmissionFindingRow = {
  constraintKind: 'K8sAllowedRepos',
  constraint: 'repos',
  action: 'denied',
  apiVersion: 'v1',
  kind: 'Pod',
  namespace: 'shop',
  name: 'import-1-x',
  ownerKind: 'Job',
  ownerName: 'import-1',
  image: 'nginx',
  message: 'no',
  user: 'ci',
  times: 1,
  firstAt: 10,
  lastAt: 10,
};

describe.each(ENGINES)('admission findings on %s', (engine) => {
  let handle: DatabaseHandle;
  let store: AdmissionFindingStore;
  let audits: ClusterAuditStore;
  beforeEach(async () => {
    handle = await freshDatabase(engine);
    store = createAdmissionFindingStore({ db: handle.db });
    audits = createClusterAuditStore({ db: handle.db });
  });
  afterEach(() => handle.close());

  async function all(filter: Parameters<ClusterAuditStore['findings']>[0] = {}, limit = 100) {
    return (await audits.findings(filter, { limit }))?.items.map(({ finding }) => finding);
  }

  it('merges the same finding, within one call and over many', async () => {
    await store.add(
      'prod',
      [denied, { ...denied, name: 'import-1-y', user: 'bot', lastAt: 30, firstAt: 20, times: 2 }],
      30,
    );
    await store.add('prod', [{ ...denied, name: 'import-1-z', firstAt: 5, lastAt: 5 }], 40);
    await store.add('prod', [{ ...denied, action: 'warned' }], 40);
    const found = await all();
    expect(found).toHaveLength(2);
    expect(found).toContainEqual({ ...denied, cluster: 'prod', name: 'import-1-z', times: 4, firstAt: 5, lastAt: 30 });
  });

  it('forgets after 30 days', async () => {
    await store.add('prod', [denied], 10);
    await store.add('other', [denied], 10);
    await store.add('prod', [{ ...denied, namespace: 'new', firstAt: 31 * DAY, lastAt: 31 * DAY }], 31 * DAY);
    expect((await all())?.map((one) => `${one.cluster} ${one.namespace}`)).toEqual(['other shop', 'prod new']);
  });

  it('lists what audits and admission found page by page, each filter alone', async () => {
    const violation = {
      constraint: 'repos',
      action: 'warn',
      group: 'apps',
      version: 'v1',
      kind: 'Deployment',
      namespace: 'shop',
      name: 'web',
      message: 'm',
    };
    const violations = Array.from({ length: 5 }, (_, at) => ({ ...violation, name: `web${at}` }));
    const run = { startedAt: 99, finishedAt: 100, objects: 1, running: [], incomplete: [] };
    await audits.recordAudit({ ...run, cluster: 'prod', violations });
    const many = Array.from({ length: 5 }, (_, at) => ({ ...denied, ownerName: `job${at}`, constraint: `c${at}` }));
    await store.add('prod', many, 10);
    await store.add('test', [denied], 10);

    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await audits.findings({}, { limit: 3, after });
      expect(page?.items.length).toBeLessThanOrEqual(3);
      for (const { from, finding } of page?.items ?? [])
        seen.push(`${from} ${finding.cluster} ${'ownerName' in finding ? finding.ownerName : finding.name}`);
      after = page?.next;
    } while (after !== undefined);
    expect(seen.sort()).toEqual(
      [
        ...violations.map(({ name }) => `audit prod ${name}`),
        ...many.map(({ ownerName }) => `admission prod ${ownerName}`),
        'admission test import-1',
      ].sort(),
    );
    const counted = async (filter: Parameters<typeof all>[0]) => (await all(filter))?.length;
    expect(await counted({ cluster: 'test' })).toBe(1);
    expect(await counted({ constraint: 'c3' })).toBe(1);
    expect(await counted({ kind: 'Deployment' })).toBe(5);
    expect(await counted({ kind: 'Job' })).toBe(6);
    expect(await counted({ namespace: 'none' })).toBe(0);
    expect(await counted({ since: 50 })).toBe(5);
    expect(await audits.findings({}, { limit: 1, after: 'nonsense' })).toBeUndefined();
  });
});
