import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import type { Principal } from '../auth/principal.ts';
import type { DatabaseHandle } from '../db/database.ts';
import { createLedger } from '../ledger/ledger.ts';
import { fixedClock } from '../platform/clock.ts';
import { tellEndingExceptions } from './ending.ts';
import { createExceptionStore, type ExceptionStore } from './exception-store.ts';
import { exceptionDeps } from './testing.ts';

const DAY = 86_400_000;
const NOW = 1_790_000_000_000;
const person = (name: string): Principal => ({ kind: 'user', id: `id-${name}`, name, admin: false });
const [eva, tom] = [person('eva'), person('tom')];
const front = { id: 'p1', name: 'front' };

describe.each(ENGINES)('ends of exceptions on %s', (engine) => {
  let handle: DatabaseHandle;
  let clock: ReturnType<typeof fixedClock>;
  let exceptions: ExceptionStore;
  beforeEach(async () => {
    handle = await freshDatabase(engine);
    clock = fixedClock(NOW);
    const ledger = createLedger({ db: handle.db, clock });
    exceptions = createExceptionStore({ db: handle.db, clock, ledger, fourEyes: true, ...exceptionDeps(handle) });
    await handle.db
      .insertInto('projects')
      .values({ id: 'p1', name: 'front', public: 0, created_by: 'admin', created_at: NOW })
      .execute();
  });
  afterEach(() => handle.close());

  async function grant(days: number, vulnerability = 'CVE-2024-1'): Promise<string> {
    const { id } = await exceptions.request(eva, front, {
      vulnerability,
      reason: 'r',
      until: clock.now() + days * DAY,
    });
    await exceptions.grant(tom, front, id, { reason: 'ok' });
    return id;
  }

  /** What was told beside requests and decisions, as `TYPE subject`. */
  async function told(): Promise<string[]> {
    await tellEndingExceptions({ db: handle.db, clock });
    const rows = await handle.db.selectFrom('outbox').select(['type', 'subject', 'project']).orderBy('id').execute();
    return rows
      .filter(({ type }) => /EXPIR/.test(type))
      .map(({ type, subject, project }) => `${type} ${subject} ${project}`);
  }

  it('are told a week ahead and when they have come, once each, also by two replicas', async () => {
    const id = await grant(60);
    expect(await told()).toEqual([]);
    clock.set(NOW + 53 * DAY - 1);
    expect(await told()).toEqual([]);
    clock.set(NOW + 53 * DAY);
    const near = [`EXCEPTION_EXPIRING exception/${id} front`];
    await Promise.all([told(), told()]);
    expect(await told()).toEqual(near);
    clock.set(NOW + 60 * DAY - 1);
    expect(await told()).toEqual(near);
    clock.set(NOW + 60 * DAY);
    expect(await told()).toEqual([...near, `EXCEPTION_EXPIRED exception/${id} front`]);
    clock.advance(DAY);
    expect(await told()).toHaveLength(2);
  });

  it('of short ones are told in their last quarter', async () => {
    await grant(4);
    clock.set(NOW + 3 * DAY - 1);
    expect(await told()).toEqual([]);
    clock.set(NOW + 3 * DAY);
    expect(await told()).toHaveLength(1);
  });

  it('are not told of what was renewed, revoked or never granted', async () => {
    const renewed = await grant(8);
    const again = await exceptions.renew(eva, front, renewed, { reason: 'r', until: NOW + 40 * DAY });
    await exceptions.grant(tom, front, again.id, { reason: 'ok' });
    const revoked = await grant(8, 'CVE-2024-2');
    await exceptions.revoke(tom, front, revoked, 'no');
    await exceptions.request(eva, front, { vulnerability: 'CVE-2024-3', reason: 'r', until: NOW + 8 * DAY });
    clock.set(NOW + 7 * DAY);
    expect(await told()).toEqual([]);
    clock.set(NOW + 9 * DAY);
    expect(await told()).toEqual([`EXCEPTION_EXPIRED exception/${renewed} front`]);
  });

  it('are told of all, however many', async () => {
    const several = Array.from({ length: 210 }, (_, at) => ({
      vulnerability: `CVE-2024-${at}`,
      reason: 'r',
      until: NOW + DAY,
    }));
    const made = await exceptions.requestMany(eva, front, several);
    await exceptions.decideMany(
      tom,
      front,
      made.map(({ id }) => id),
      { to: 'granted', reason: 'ok' },
    );
    clock.set(NOW + DAY);
    expect(await told()).toHaveLength(210);
  });
});
