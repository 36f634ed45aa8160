import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import { cacheWhileUnchanged } from './unchanged.ts';

it('keeps nothing that was read before a change of which somebody else heard first', async () => {
  const asked: ((state: string) => void)[] = [];
  const kept = cacheWhileUnchanged<string>(() => new Promise((resolve) => asked.push(resolve)), {
    limit: 10,
    weigh: () => 1,
  });
  const answer = async (value: string) => {
    for (let turn = 0; asked.length === 0 && turn < 100; turn += 1) await setImmediate();
    asked.shift()?.(value);
    await setImmediate();
  };
  const first = kept.get('tag', async () => 'old');
  await answer('1');
  // It asks again whether something changed, and is told late that nothing had; meanwhile a change is committed.
  const late = asked.shift();
  const second = kept.get('other', async () => 'new');
  await answer('2');
  await answer('2');
  late?.('1');
  expect([await first, await second]).toEqual(['old', 'new']);
  const third = kept.get('tag', async () => 'new');
  await answer('2');
  await answer('2');
  expect(await third).toBe('new');
});

describe.each(ENGINES)('what is kept while the database is unchanged, %s', (engine) => {
  it('is always what the database says, whatever is written in between', async () => {
    const handle = await freshDatabase(engine);
    const { db, state } = handle;
    const kept = cacheWhileUnchanged<string>(state, { limit: 10, weigh: (value) => value.length });
    const read = (key: string) =>
      db
        .selectFrom('settings')
        .select('value')
        .where('key', '=', key)
        .executeTakeFirst()
        .then((row) => row?.value);
    const key = fc.constantFrom('a', 'b', 'c');
    const write = fc.record({ key, value: fc.string({ minLength: 1, maxLength: 4 }), undone: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(key, write), { maxLength: 12 }), async (steps) => {
        for (const step of steps) {
          if (typeof step === 'string') {
            expect(await kept.get(step, () => read(step))).toBe(await read(step));
            continue;
          }
          const { key, value, undone } = step;
          const writing = db.transaction().execute(async (tx) => {
            await tx
              .insertInto('settings')
              .values({ key, value })
              .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
              .execute();
            if (undone) throw new Error('undone');
          });
          // A question while the answer is being changed may get the old or the new one, and must not keep the old.
          const asked = kept.get(key, () => read(key));
          await Promise.allSettled([writing, asked]);
        }
      }),
      { numRuns: 60 },
    );
    await handle.close();
  });

  it('rests on the tables it was read from, where they can be told apart', async () => {
    const handle = await freshDatabase(engine);
    const { db } = handle;
    const state = handle.stateOf('settings');
    const change = (key: string) => db.insertInto('settings').values({ key, value: 'v' }).execute();
    const before = await state();
    await db.selectFrom('settings').selectAll().execute();
    expect(await state()).toBe(before);
    await db.deleteFrom('jobs').execute();
    if (engine === 'sqlite') expect(await state()).toBe(before);
    await change('a');
    const after = await state();
    expect(after).not.toBe(before);
    await db
      .transaction()
      .execute(async (tx) => {
        await tx.deleteFrom('settings').execute();
        throw new Error('undone');
      })
      .catch(() => undefined);
    await change('b');
    expect(await state()).not.toBe(after);
    await handle.close();
  });

  it('is asked for once between two changes', async () => {
    const handle = await freshDatabase(engine);
    const { db, state } = handle;
    const kept = cacheWhileUnchanged<string>(state, { limit: 10, weigh: () => 1 });
    let asked = 0;
    const answer = async () => `answer ${(asked += 1)}`;
    expect([await kept.get('a', answer), await kept.get('a', answer)]).toEqual(['answer 1', 'answer 1']);
    await db.insertInto('settings').values({ key: 'x', value: 'y' }).execute();
    expect(await kept.get('a', answer)).toBe('answer 2');
    await handle.close();
  });
});
