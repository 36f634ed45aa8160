import { type Kysely, sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import type { DatabaseHandle } from './database.ts';

const TABLES = ['exceptions', 'quarantines', 'vex_authors', 'vex_documents'] as const;

describe.each(ENGINES)('the state of what people decide, %s', (engine) => {
  let handle: DatabaseHandle;
  beforeEach(async () => {
    handle = await freshDatabase(engine);
  });
  afterEach(() => handle.close());

  it.each(TABLES)('is another after each change of %s', async (table) => {
    const state = handle.stateOf(...TABLES);
    const seen = [await state()];
    for (const change of [insert(table, 'a'), insert(table, 'b'), update(table), remove(table)]) {
      await change(handle.db);
      seen.push(await state());
    }
    expect(new Set(seen).size).toBe(5);
  });

  it('stays while anything else is written, and nothing is changed', async () => {
    const state = handle.stateOf(...TABLES);
    await insert('exceptions', 'a')(handle.db);
    const before = await state();
    await handle.db.insertInto('settings').values({ key: 'k', value: 'v' }).execute();
    expect(await state()).toBe(before);
  });

  it('is the one before where the change is undone, and seen with it where it is not', async () => {
    const state = handle.stateOf(...TABLES);
    const before = await state();
    let within: unknown;
    const undone = handle.db.transaction().execute(async (tx) => {
      await insert('quarantines', 'a')(tx);
      if (engine === 'postgres') within = await state();
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    // Another connection sees neither the change nor its mark before it is kept.
    if (engine === 'postgres') expect([within, await state()]).toEqual([before, before]);
    await handle.db.transaction().execute((tx) => insert('quarantines', 'a')(tx));
    expect(await state()).not.toBe(before);
  });

  it('lets nobody wait for another who changes other rows, in whatever order', async () => {
    for (const table of TABLES) for (const id of ['a', 'b']) await insert(table, id)(handle.db);
    const state = handle.stateOf(...TABLES);
    for (let round = 0; round < 20; round += 1) {
      const before = await state();
      await Promise.all(
        [
          [...TABLES].map((table) => [table, 'a'] as const),
          [...TABLES].reverse().map((table) => [table, 'b'] as const),
        ].map((steps) =>
          handle.db.transaction().execute(async (tx) => {
            for (const [table, id] of steps) await update(table, id)(tx);
          }),
        ),
      );
      expect(await state()).not.toBe(before);
    }
  });
});

type Anything = Pick<Kysely<never>, 'getExecutor'>;
type Table = (typeof TABLES)[number];

/** A row with the id and, in every other column that needs something, nothing worth the name. */
function insert(table: Table, id: string) {
  const columns = {
    exceptions:
      'id, project_id, vulnerability, reason, state, requested_by, requested_at, single_handed, valid_from, until',
    quarantines: 'id, target, reason, ticket, state, added_by, added_at',
    vex_authors:
      'id, name, public_key, fingerprint, products, statuses, criteria, findings, owner, review_due, added_by, added_at',
    vex_documents: 'id, project_id, name, digest, format, author_text, said_at, received_at, received_by, problems',
  }[table];
  const values = columns
    .split(', ')
    .map((name) => (/(_at|_due|single_handed|from|until)$/.test(name) ? '1' : `'${name}-${id}'`))
    .join(', ');
  return (db: Anything) => sql.raw(`insert into ${table} (${columns}) values (${values})`).execute(db);
}

function update(table: Table, id = 'a') {
  const [column, value] = {
    exceptions: ['reason', `'other'`],
    quarantines: ['reason', `'other'`],
    vex_authors: ['owner', `'other'`],
    vex_documents: ['problems', `'other'`],
  }[table] as [string, string];
  return (db: Anything) => sql.raw(`update ${table} set ${column} = ${value} where id = 'id-${id}'`).execute(db);
}

function remove(table: Table) {
  return (db: Anything) => sql.raw(`delete from ${table} where id = 'id-a'`).execute(db);
}
