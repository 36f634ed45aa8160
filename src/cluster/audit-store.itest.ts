import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import type { AuditSink } from '../audit/ports.ts';
import type { DatabaseHandle } from '../db/database.ts';
import { type ClusterAudit, type ClusterAuditStore, createClusterAuditStore } from './audit-store.ts';

const violation = {
  constraint: 'c',
  action: 'warn',
  group: '',
  version: 'v1',
  kind: 'Pod',
  namespace: 'n',
  name: 'p',
  message: 'm',
};
const image = { namespace: 'n', kind: 'Deployment', name: 'web', container: 'app', image: 'a:1' };
const [first, second] = [`sha256:${'1'.repeat(64)}`, `sha256:${'2'.repeat(64)}`] as const;
const audit = (at: number, changes: Partial<ClusterAudit> = {}): ClusterAudit => ({
  cluster: 'prod',
  startedAt: at - 1,
  finishedAt: at,
  objects: 3,
  violations: [],
  running: [],
  incomplete: [],
  ...changes,
});

describe.each(ENGINES)('cluster audits on %s', (engine) => {
  let handle: DatabaseHandle;
  let store: ClusterAuditStore;
  beforeEach(async () => {
    handle = await freshDatabase(engine);
    store = createClusterAuditStore({ db: handle.db });
  });
  afterEach(() => handle.close());

  it('keeps a pass with all its violations in order, many thousand too', async () => {
    const violations = Array.from({ length: 1203 }, (_, at) => ({ ...violation, name: `p${at}` }));
    const incomplete = [{ kind: 'Pod', reason: 'forbidden' }];
    const sink: AuditSink = store;
    await sink.recordAudit(audit(10, { violations, incomplete }));
    await store.recordAudit(audit(5, { cluster: 'other' }));
    const run = await store.latestRun('prod');
    expect(run).toMatchObject({
      cluster: 'prod',
      startedAt: 9,
      finishedAt: 10,
      objects: 3,
      violations: 1203,
      incomplete,
    });
    const standing = await store.violations('prod');
    expect(standing.map(({ name }) => name).sort()).toEqual(violations.map(({ name }) => name).sort());
    expect(standing[0]).toEqual({ ...violation, name: 'p0', cluster: 'prod', since: 10 });
    expect(await store.latestRun('nowhere')).toBeUndefined();
    expect(await store.clusters()).toEqual(['other', 'prod']);
  });

  it('knows since when an image runs where, and what does not run any more', async () => {
    await store.recordAudit(
      audit(10, { running: [{ ...image, digest: first }, image, { ...image, container: 'side', digest: first }] }),
    );
    await store.recordAudit(audit(20, { running: [image] }));
    expect(await store.images({ cluster: 'prod' })).toMatchObject([
      { container: 'app', image: 'a:1', firstSeen: 10, lastSeen: 20 },
      { container: 'side', digest: first, firstSeen: 10, lastSeen: 10 },
    ]);
    expect((await store.images({ current: true })).map(({ container }) => container)).toEqual(['app']);
    await store.recordAudit(audit(30, { running: [{ ...image, digest: second }] }));
    expect(await store.images({ current: true })).toEqual([
      { ...image, cluster: 'prod', digest: second, firstSeen: 30, lastSeen: 30 },
    ]);
    expect(await store.images({ cluster: 'other' })).toEqual([]);
  });

  it('takes nothing away on the word of a pass that did not see everything', async () => {
    await store.recordAudit(audit(10, { running: [image] }));
    await store.recordAudit(audit(20, { incomplete: [{ kind: 'Pod', reason: 'forbidden' }] }));
    expect(await store.images({ current: true })).toHaveLength(1);
    await store.recordAudit(audit(30));
    expect(await store.images({ current: true })).toEqual([]);
  });

  it('knows since when a violation stands, forgets what was mended, and loses nothing to a pass that saw less', async () => {
    const other = { ...violation, kind: 'Job', name: 'j', image: 'a:1', constraintKind: 'K8sAllowedRepos' };
    await store.recordAudit(audit(10, { violations: [violation, other] }));
    await store.recordAudit(audit(20, { violations: [], incomplete: [{ kind: 'Job', reason: 'forbidden' }] }));
    expect(await store.violations('prod')).toEqual([{ ...other, cluster: 'prod', since: 10 }]);
    await store.recordAudit(
      audit(30, { violations: [{ ...other, action: 'deny', admittedWhileAway: true }, violation] }),
    );
    expect(await store.violations('prod')).toEqual([
      { ...other, action: 'deny', admittedWhileAway: true, cluster: 'prod', since: 10 },
      { ...violation, cluster: 'prod', since: 30 },
    ]);
    await store.recordAudit(audit(40));
    expect(await store.violations('prod')).toEqual([]);
  });

  it('a pass that changed nothing writes nothing anew', async () => {
    await store.recordAudit(audit(10, { violations: [violation], running: [image] }));
    await store.recordAudit(audit(20, { violations: [violation], running: [image], unchanged: true }));
    expect(await store.violations('prod')).toHaveLength(1);
    expect(await store.images({ current: true })).toMatchObject([{ firstSeen: 10, lastSeen: 20 }]);
  });

  it('keeps the newest hundred passes of a cluster and forgets images after 400 days', async () => {
    await store.recordAudit(audit(1, { cluster: 'other', violations: [violation] }));
    await store.recordAudit(audit(2, { running: [image] }));
    for (let at = 3; at < 106; at += 1) await store.recordAudit(audit(at, { violations: [violation] }));
    const runs = await store.runs('prod', 500);
    expect([runs.length, runs[0]?.finishedAt, runs.at(-1)?.finishedAt]).toEqual([100, 105, 6]);
    expect(await store.violations('prod')).toEqual([{ ...violation, cluster: 'prod', since: 3 }]);
    expect(await store.images()).toHaveLength(1);
    await store.recordAudit(audit(401 * 86_400_000));
    expect(await store.images()).toEqual([]);
  });
});
