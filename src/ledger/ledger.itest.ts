import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import type { DatabaseHandle } from '../db/database.ts';
import { fixedClock } from '../platform/clock.ts';
import { findFaults, GENESIS } from './chain.ts';
import { appendToLedger, ledgerHead, listLedger } from './ledger.ts';

describe.each(ENGINES)('ledger on %s', (engine) => {
  let handle: DatabaseHandle;
  const clock = fixedClock(1000);
  beforeEach(async () => {
    handle = await freshDatabase(engine);
  });
  afterEach(() => handle.close());

  const append = (action: string, details = {}) =>
    handle.db
      .transaction()
      .execute((tx) => appendToLedger(tx, clock, { actor: 'admin', action, target: 'front', details }));

  it('chains lines, also those written at the same time', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, at) => append('project.update', { at })));
    const lines = await listLedger(handle.db, { limit: 100 });
    expect(lines.map(({ seq }) => seq)).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
    expect(lines[0]?.previousHash).toBe(GENESIS);
    expect(findFaults(lines, GENESIS)).toEqual([]);
    expect(await ledgerHead(handle.db)).toEqual({ seq: 20, hash: lines.at(-1)?.hash });
  });

  it('forgets a line together with the change it records', async () => {
    await append('one');
    const attempt = handle.db.transaction().execute(async (tx) => {
      await appendToLedger(tx, clock, { actor: 'admin', action: 'two', target: 'front' });
      throw new Error('the change failed');
    });
    await expect(attempt).rejects.toThrow('the change failed');
    await append('three');
    const lines = await listLedger(handle.db, { limit: 100 });
    expect(lines.map(({ action }) => action)).toEqual(['one', 'three']);
    expect(findFaults(lines, GENESIS)).toEqual([]);
  });

  it('finds a line that was changed or removed', async () => {
    for (const action of ['a', 'b', 'c', 'd']) await append(action);
    const lines = await listLedger(handle.db, { limit: 100 });
    expect(findFaults(lines.with(1, { ...lines[1]!, actor: 'mallory' }))).toEqual([{ seq: 2, problem: 'changed' }]);
    expect(findFaults(lines.toSpliced(1, 1))).toEqual([{ seq: 3, problem: 'missing-before' }]);
    expect(findFaults(lines.slice(1), GENESIS)).toEqual([{ seq: 2, problem: 'missing-before' }]);
  });

  it('lists a period, a target, a page', async () => {
    await append('a');
    clock.advance(1000);
    await append('b');
    expect((await listLedger(handle.db, { from: 2000, limit: 10 })).map(({ action }) => action)).toEqual(['b']);
    expect((await listLedger(handle.db, { after: 1, limit: 10 })).map(({ action }) => action)).toEqual(['b']);
    expect(await listLedger(handle.db, { target: 'back', limit: 10 })).toEqual([]);
  });
});
