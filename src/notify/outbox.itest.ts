import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import type { DatabaseHandle } from '../db/database.ts';
import { addEvents, type NewEvent, onlyOnce } from './outbox.ts';

const EVENT: NewEvent = {
  type: 'TRUST_REVIEW_DUE',
  subject: 'trust/docker.io/library/nginx',
  at: 1_000_000,
  data: {
    id: '1',
    entry: 'docker.io/library/nginx',
    owner: 'a\0b',
    reviewDue: '2026-01-01T00:00:00Z',
    overdue: false,
  },
};

describe.each(ENGINES)('the outbox on %s', (engine) => {
  let handle: DatabaseHandle;
  beforeEach(async () => {
    handle = await freshDatabase(engine);
  });
  afterEach(() => handle.close());
  const rows = () => handle.db.selectFrom('outbox').selectAll().orderBy('id').execute();

  it('holds what the transaction holds, and nothing of one that failed', async () => {
    const failed = handle.db.transaction().execute(async (tx) => {
      await addEvents(tx, [EVENT]);
      throw new Error('no');
    });
    await expect(failed).rejects.toThrow('no');
    expect(await rows()).toEqual([]);
    await handle.db.transaction().execute((tx) =>
      addEvents(
        tx,
        Array.from({ length: 500 }, () => EVENT),
      ),
    );
    const kept = await rows();
    expect(new Set(kept.map(({ uid }) => uid)).size).toBe(500);
    expect(kept[0]).toMatchObject({ type: 'TRUST_REVIEW_DUE', project: null, at: 1_000_000, dispatched_at: null });
    // Half characters and NUL are nothing that every engine keeps.
    expect(JSON.parse(kept[0]?.data ?? '')).toMatchObject({ owner: 'a\ufffdb' });
  });

  it('lets a key through once until its time, whoever asks', async () => {
    const ask = (now: number) =>
      handle.db.transaction().execute((tx) => onlyOnce(tx, 'PULL_BLOCKED front', { now, until: now + 1000 }));
    expect((await Promise.all([ask(0), ask(0), ask(1)])).filter(Boolean)).toHaveLength(1);
    expect(await ask(999)).toBe(false);
    expect(await ask(5000)).toBe(true);
    expect(await ask(5999)).toBe(false);
  });
});
