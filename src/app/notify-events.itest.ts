import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import { createAdmissionFindingStore } from '../cluster/admission-findings.ts';
import type { DatabaseHandle } from '../db/database.ts';
import type { Reason, Verdict } from '../model/verdict.ts';
import { type Digest, parseDigest } from '../oci/digest.ts';
import { fixedClock, toRfc3339 } from '../platform/clock.ts';
import { silentLogger } from '../platform/logger.ts';
import { tellDueReviews } from '../trust/review-due.ts';
import { createBlockedPulls } from '../verdicts/blocked-pulls.ts';
import { tellEndingGrace } from '../verdicts/grace-ending.ts';
import { tellStaleAdvisories } from './stale-advisories.ts';

const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const digest = parseDigest(`sha256:${'a'.repeat(64)}`);

describe.each(ENGINES)('what receivers are told of on %s', (engine) => {
  let handle: DatabaseHandle;
  let clock: ReturnType<typeof fixedClock>;
  beforeEach(async () => {
    handle = await freshDatabase(engine);
    clock = fixedClock(NOW);
  });
  afterEach(() => handle.close());
  const deps = () => ({ db: handle.db, clock, logger: silentLogger });
  const told = async () =>
    (await handle.db.selectFrom('outbox').selectAll().orderBy('id').execute()).map(({ type, subject, data }) => ({
      type,
      subject,
      data: JSON.parse(data) as unknown,
    }));

  it('a refused pull, once an hour for each image and account, whichever replica refuses it', async () => {
    const replicas = [createBlockedPulls(deps()), createBlockedPulls(deps())];
    const manifest = { repositoryId: 'r', repository: 'front/app', digest, kind: 'image', reference: '1.0' } as const;
    const refuse = async (name: string) => {
      for (const replica of replicas)
        for (let time = 0; time < 5; time += 1)
          replica.refused(manifest, { name, bypassesGate: false, may: () => true }, 'no');
      await Promise.all(replicas.map((replica) => replica.idle()));
    };
    await refuse('nodes');
    await refuse('');
    clock.advance(HOUR - 1);
    await refuse('nodes');
    expect(await told()).toMatchObject([
      { type: 'PULL_BLOCKED', subject: `front/app@${digest}`, data: { by: 'nodes', reference: '1.0', message: 'no' } },
      { type: 'PULL_BLOCKED', data: { by: 'anonymous' } },
    ]);
    clock.advance(1);
    await refuse('nodes');
    expect(await told()).toHaveLength(3);
  });

  it('what a cluster denied, once an hour for the same about the same owner, and nothing it only warned of', async () => {
    const store = createAdmissionFindingStore(deps());
    const finding = {
      constraintKind: 'K8sAllowedRepos',
      constraint: 'require-harbor-repo',
      action: 'denied',
      apiVersion: 'v1',
      kind: 'Pod',
      namespace: 'shop',
      name: 'web-1',
      ownerKind: 'Deployment',
      ownerName: 'web',
      image: 'nginx',
      message: 'no',
      user: 'dev',
      times: 3,
      firstAt: NOW,
      lastAt: NOW,
    };
    await store.add('production', [finding, { ...finding, action: 'warned' }], NOW);
    await store.add('production', [{ ...finding, name: 'web-2' }], NOW + HOUR - 1);
    expect(await told()).toMatchObject([
      {
        type: 'ADMISSION_DENIED',
        subject: 'cluster/production/shop/Deployment/web',
        data: { by: 'dev', times: 3, object: { name: 'web-1' } },
      },
    ]);
    await store.add('production', [finding], NOW + HOUR);
    expect(await told()).toHaveLength(2);
  });

  it('a review that comes near, that is overdue, and again a month later', async () => {
    await handle.db
      .insertInto('trusted_sources')
      .values({
        id: 't',
        scope: 'repository',
        entry: 'docker.io/library/nginx',
        state: 'approved',
        criteria: 'c',
        findings: 'f',
        owner: 'platform',
        proposed_by: 'dev',
        proposed_at: 0,
        decided_by: 'admin',
        decided_at: 0,
        decision_reason: 'r',
        review_due: NOW + 20 * DAY,
        retired_at: null,
      })
      .execute();
    const counts: number[] = [];
    for (let day = 0; day < 60; day += 1) {
      counts.push(await tellDueReviews(deps()));
      clock.advance(DAY);
    }
    expect(counts.flatMap((count, day) => (count > 0 ? [day] : []))).toEqual([6, 20, 50]);
    expect((await told()).map(({ data }) => (data as { overdue: boolean }).overdue)).toEqual([false, true, true]);
  });

  it('advisories that are old, once a day for as long as they are', async () => {
    const builtAt = toRfc3339(NOW - 2 * DAY);
    const advisories = { current: () => ({ version: 'v1', builtAt }) as never };
    const days: number[] = [];
    for (let hour = 0; hour < 72; hour += 6) {
      if (await tellStaleAdvisories({ ...deps(), advisories, staleDays: 3 })) days.push(hour / 24);
      clock.advance(6 * HOUR);
    }
    expect(days).toEqual([1, 2]);
    expect(await told()).toMatchObject([
      { type: 'ADVISORIES_STALE', data: { version: 'v1', ageDays: 3 } },
      { data: { ageDays: 4 } },
    ]);
  });

  it('grace that ends within three days, once for each end, and not what ends for another reason', async () => {
    await handle.db
      .insertInto('repositories')
      .values({ id: 'r', project_id: 'front', name: 'front/app', created_at: 0 })
      .execute();
    const keep = (image: Digest, changesAt: number, reasons: readonly Partial<Reason>[]) => {
      const verdict = { kind: 'warn', subject: image, reasons, inputs: {} } as unknown as Verdict;
      return handle.db
        .insertInto('verdicts')
        .values({
          repository_id: 'r',
          digest: image,
          kind: 'warn',
          document: JSON.stringify(verdict),
          advisories: 'v1',
          policy_version: 1,
          judged_at: NOW,
          changes_at: changesAt,
        })
        .execute();
    };
    const reason = { rule: 'severity-fixable', kind: 'warn', severity: 'high', vulnerability: 'CVE-2026-1' } as const;
    const excepted = parseDigest(`sha256:${'b'.repeat(64)}`);
    await keep(digest, NOW + 5 * DAY, [{ ...reason, deadline: NOW + 5 * DAY }]);
    await keep(excepted, NOW + DAY, [{ ...reason, suppressedBy: { exception: 'e', until: NOW + DAY } }]);
    expect(await tellEndingGrace(deps())).toBe(0);
    clock.advance(2 * DAY);
    expect(await tellEndingGrace(deps())).toBe(1);
    clock.advance(DAY);
    expect(await tellEndingGrace(deps())).toBe(0);
    expect(await told()).toMatchObject([
      {
        type: 'GRACE_ENDING',
        subject: `front/app@${digest}`,
        data: { total: 1, images: [{ deadline: toRfc3339(NOW + 5 * DAY), findingCount: 1, severity: 'high' }] },
      },
    ]);
  });
});
