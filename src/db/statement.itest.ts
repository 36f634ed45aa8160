import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import type { DatabaseHandle } from './database.ts';
import { statement, statementOfRows } from './statement.ts';

interface Setting {
  readonly key: string;
  readonly value: string;
}

const put = statement((db, { key, value }: Setting) =>
  db
    .insertInto('settings')
    .values({ key, value })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value })),
);
const putAll = statementOfRows((db, rows: readonly Setting[]) =>
  db
    .insertInto('settings')
    .values(rows.map(({ key, value }) => ({ key, value })))
    .onConflict((conflict) => conflict.column('key').doNothing()),
);
const find = statement((db, { key }: Pick<Setting, 'key'>) =>
  db.selectFrom('settings').select(['key', 'value']).where('key', '=', key).where('value', '!=', 'hidden'),
);
const findAll = statementOfRows((db, rows: readonly Pick<Setting, 'key'>[]) =>
  db
    .selectFrom('settings')
    .select('value')
    .where(
      'key',
      'in',
      rows.map(({ key }) => key),
    )
    .orderBy('value'),
);

describe.each(ENGINES)('statements whose text is kept, on %s', (engine) => {
  let handle: DatabaseHandle;
  beforeAll(async () => {
    handle = await freshDatabase(engine);
  });
  afterAll(() => handle.close());

  it('write and read the values of each call, beside those that are always the same', async () => {
    const { db } = handle;
    expect(await put(db, { key: 'a', value: '1' })).toMatchObject({ rows: [], changed: 1 });
    await put(db, { key: 'b', value: 'hidden' });
    expect((await find(db, { key: 'a' })).rows).toEqual([{ key: 'a', value: '1' }]);
    expect((await find(db, { key: 'b' })).rows).toEqual([]);
    await put(db, { key: 'a', value: "2'); drop table settings; --" });
    expect((await find(db, { key: 'a' })).rows[0]?.value).toBe("2'); drop table settings; --");
  });

  it('take lists of any length', async () => {
    for (const length of [1, 2, 31, 32, 33, 200, 2]) {
      const rows = Array.from({ length }, (_, at) => ({ key: `${length}-${at}`, value: `${10_000 * length + at}` }));
      const before = await findAll(handle.db, rows);
      expect((await putAll(handle.db, rows)).changed).toBe(length - before.rows.length);
      expect((await findAll(handle.db, rows)).rows.map(({ value }) => value)).toEqual(
        rows.map(({ value }) => value).sort(),
      );
    }
  });

  it('belong to the transaction they are run in, and see nothing of one that has not ended', async () => {
    const { db } = handle;
    const begun = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const failing = db.transaction().execute(async (tx) => {
      await put(tx, { key: 'gone', value: '1' });
      expect((await find(tx, { key: 'gone' })).rows).toHaveLength(1);
      begun.resolve();
      await goOn.promise;
      throw new Error('rolled back');
    });
    await begun.promise;
    const outside = find(db, { key: 'gone' });
    const written = put(db, { key: 'stays', value: '1' });
    goOn.resolve();
    await expect(failing).rejects.toThrow('rolled back');
    expect((await outside).rows).toEqual([]);
    await written;
    expect((await find(db, { key: 'stays' })).rows).toHaveLength(1);
    expect((await find(db, { key: 'gone' })).rows).toEqual([]);
  });

  it('count as changes of their tables', async () => {
    const [before, other] = [await handle.state(), await handle.stateOf('users')()];
    await find(handle.db, { key: 'a' });
    expect(await handle.state()).toBe(before);
    await put(handle.db, { key: 'a', value: 'changed' });
    expect(await handle.state()).not.toBe(before);
    if (engine === 'sqlite') expect(await handle.stateOf('users')()).toBe(other);
  });

  it('are seen by plugins', async () => {
    const seen: string[] = [];
    const db = handle.db.withPlugin({
      transformQuery: ({ node }) => {
        seen.push(node.kind);
        return node;
      },
      transformResult: ({ result }) => Promise.resolve(result),
    });
    await find(db, { key: 'a' });
    await find(db, { key: 'a' });
    expect(seen).toEqual(['SelectQueryNode', 'SelectQueryNode']);
  });
});
