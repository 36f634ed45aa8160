import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import type { DatabaseHandle } from '../db/database.ts';
import { fixedClock } from '../platform/clock.ts';
import type { GateLedger } from '../verdicts/ports.ts';
import { GENESIS, verifyChain } from './chain.ts';
import { createLedger, type Ledger } from './ledger.ts';

describe.each(ENGINES)('ledger on %s', (engine) => {
  let handle: DatabaseHandle;
  let ledger: Ledger;
  let clock: ReturnType<typeof fixedClock>;
  beforeEach(async () => {
    handle = await freshDatabase(engine);
    clock = fixedClock(1000);
    ledger = createLedger({ db: handle.db, clock });
  });
  afterEach(() => handle.close());

  const record = (action: string, details = {}) =>
    gateLedger().record({ actor: 'admin', action, target: 'project/front', details });
  const gateLedger = (): GateLedger => ledger;
  const actions = async (query: object) => (await ledger.list({ limit: 100, ...query })).map(({ action }) => action);

  it('chains lines, also twenty that are written at the same time', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, at) => record('project.update', { at })));
    const lines = await ledger.list({ limit: 100 });
    expect(lines.map(({ seq }) => seq)).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
    expect(new Set(lines.map(({ details }) => details['at'])).size).toBe(20);
    expect(lines[0]?.previousHash).toBe(GENESIS);
    expect(verifyChain(lines, { seq: 0, hash: GENESIS })).toBeUndefined();
    expect(await ledger.head()).toEqual({ seq: 20, hash: lines.at(-1)?.hash });
  });

  it('forgets a line together with the change it records', async () => {
    await record('one');
    const attempt = handle.db.transaction().execute(async (tx) => {
      await ledger.append(tx, { actor: 'admin', action: 'two', target: 'project/front' });
      throw new Error('the change failed');
    });
    await expect(attempt).rejects.toThrow('the change failed');
    await record('three');
    expect(await actions({})).toEqual(['one', 'three']);
    expect(verifyChain(await ledger.list({ limit: 100 }))).toBeUndefined();
  });

  it('gives back every text as it was hashed', async () => {
    await ledger.record({
      actor: 'a\0b\ud800',
      action: 'x',
      target: 'ü'.repeat(2000),
      details: { text: 'a\0b\ud800', __proto__: 1, 10: 1, 2: 2, nested: [{ b: 1, a: undefined }] },
    });
    const lines = await ledger.list({ limit: 1 });
    expect(verifyChain(lines)).toBeUndefined();
    expect(lines[0]?.details['text']).toBe('a\0b\ud800');
  });

  it('never goes back in time', async () => {
    await record('a');
    clock.set(10);
    await record('b');
    expect((await ledger.list({ limit: 9 })).map(({ at }) => at)).toEqual([1000, 1000]);
  });

  it('lists a period, a target, a page', async () => {
    await record('a');
    clock.advance(1000);
    await record('b');
    expect(await actions({ from: 2000 })).toEqual(['b']);
    expect(await actions({ to: 2000 })).toEqual(['a']);
    expect(await actions({ after: 1 })).toEqual(['b']);
    expect(await actions({ limit: 1 })).toEqual(['a']);
    expect(await actions({ target: 'project/back' })).toEqual([]);
    expect(await actions({ target: 'project/front' })).toEqual(['a', 'b']);
  });

  it('refuses details that are too large', async () => {
    await expect(record('a', { text: 'x'.repeat(70_000) })).rejects.toMatchObject({ code: 'entry_invalid' });
    expect(await ledger.head()).toBeUndefined();
  });
});
