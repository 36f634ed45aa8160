import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import type { Principal } from '../auth/principal.ts';
import type { DatabaseHandle } from '../db/database.ts';
import { createLedger, type Ledger } from '../ledger/ledger.ts';
import { fixedClock } from '../platform/clock.ts';
import { createSourceStore, type SourceStore, type SourceStoreDeps } from './source-store.ts';

const DAY = 86_400_000;
const NOW = 1_790_000_000_000;
const person = (name: string): Principal => ({ kind: 'user', id: `id-${name}`, name, admin: true });
const [eva, tom] = [person('eva'), person('tom')];

describe.each(ENGINES)('trusted sources that nobody reviews in time on %s', (engine) => {
  let handle: DatabaseHandle;
  let clock: ReturnType<typeof fixedClock>;
  let ledger: Ledger;
  beforeEach(async () => {
    handle = await freshDatabase(engine);
    clock = fixedClock(NOW);
    ledger = createLedger({ db: handle.db, clock });
  });
  afterEach(() => handle.close());

  const open = (more: Partial<SourceStoreDeps>): SourceStore =>
    createSourceStore({ db: handle.db, clock, ledger, fourEyes: true, ...more });
  const analysis = (days: number) => ({ criteria: 'c', findings: 'f', owner: 'o', reviewDue: NOW + days * DAY });

  async function approved(sources: SourceStore, entry: string, days: number): Promise<string> {
    const { id } = await sources.propose(eva, { entry, ...analysis(days) });
    await sources.approve(tom, id, 'agreed');
    return id;
  }

  it('stay trusted and are shown where the installation says nothing', async () => {
    const sources = open({});
    await approved(sources, 'quay.io/acme/', 10);
    clock.set(NOW + 400 * DAY);
    expect(await sources.lapseOverdue()).toEqual([]);
    expect(await sources.approvedEntries()).toEqual([{ entry: 'quay.io/acme/', reviewDue: true }]);
    expect(await sources.list()).toMatchObject([{ state: 'review due' }]);
  });

  it('stop being trusted after the days it says, to the millisecond, until somebody else reviews them', async () => {
    const sources = open({ overdueDays: 14 });
    const id = await approved(sources, 'quay.io/acme/', 10);
    await approved(sources, 'quay.io/other/', 100);
    clock.set(NOW + 24 * DAY - 1);
    expect(await sources.lapseOverdue()).toEqual([]);
    clock.set(NOW + 24 * DAY);
    expect(await sources.lapseOverdue()).toEqual(['quay.io/acme/']);
    expect(await sources.lapseOverdue()).toEqual([]);
    expect((await sources.get(id)).state).toBe('lapsed');
    expect(await sources.approvedEntries()).toEqual([{ entry: 'quay.io/other/', reviewDue: false }]);
    await expect(sources.propose(eva, { entry: 'quay.io/acme/', ...analysis(90) })).rejects.toMatchObject({
      code: 'source_exists',
    });
    const again = { reason: 'still fine', findings: 'f', reviewDue: NOW + 90 * DAY };
    await expect(sources.review(eva, id, again)).rejects.toMatchObject({ code: 'four_eyes' });
    expect(await sources.review(tom, id, again)).toMatchObject({ state: 'approved' });
    expect(await sources.approvedEntries()).toHaveLength(2);
    const line = (await ledger.list({ action: 'trust.lapse', limit: 9 }))[0];
    expect(line).toMatchObject({ actor: 'system', target: 'trust/quay.io/acme/', details: { overdueDays: 14 } });
  });

  it('have their next review within the days it says', async () => {
    const sources = open({ mostReviewDays: 365 });
    await expect(sources.propose(eva, { entry: 'a.example.com', ...analysis(366) })).rejects.toThrow(
      'the review must be due in the future, within 365 days',
    );
    const id = await approved(sources, 'a.example.com', 365);
    const later = { reason: 'r', findings: 'f', reviewDue: NOW + 366 * DAY };
    await expect(sources.review(tom, id, later)).rejects.toMatchObject({ code: 'source_invalid' });
  });
});
