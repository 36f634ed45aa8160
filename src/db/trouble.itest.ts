import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { freshDatabase } from '../../test/support/engines.ts';
import { type Db, openDatabase } from './database.ts';
import { isUnavailable } from './errors.ts';

const LARGE = 'x'.repeat(100_000);

async function write(db: Db, key: string): Promise<void> {
  await db.insertInto('settings').values({ key, value: LARGE }).execute();
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('a database in trouble', () => {
  it('sqlite without room fails writes and whole transactions with one clear sentence, and is sound when there is room', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'breakwater-trouble-'));
    const handle = await openDatabase({ engine: 'sqlite', path: join(folder, 'db.sqlite') });
    const { db } = handle;
    try {
      await write(db, 'before');
      const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(db);
      await sql`pragma max_page_count = ${sql.lit((rows[0]?.page_count ?? 0) + 2)}`.execute(db);
      const alone = await failureOf(write(db, 'alone'));
      expect(isUnavailable(alone) && alone.message).toBe('the disk of the database is full');
      // SQLite may have rolled back by itself: that must not hide why.
      const together = await failureOf(
        db.transaction().execute(async (tx) => {
          await tx.insertInto('settings').values({ key: 'small', value: '' }).execute();
          await write(tx, 'large');
        }),
      );
      expect(isUnavailable(together)).toBe(true);
      expect(
        await db.selectFrom('settings').select('key').where('key', 'in', ['small', 'large', 'before']).execute(),
      ).toEqual([{ key: 'before' }]);
      await sql`pragma max_page_count = 1000000`.execute(db);
      expect(await handle.problem()).toBeUndefined();
      await write(db, 'after');
    } finally {
      await handle.close();
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('a query at fault is no trouble', async () => {
    for (const engine of ['sqlite', 'postgres'] as const) {
      const handle = await freshDatabase(engine);
      const failure = await failureOf(sql`select nonsense`.execute(handle.db));
      expect(failure).toBeInstanceOf(Error);
      expect(isUnavailable(failure), engine).toBe(false);
      await handle.close();
    }
  });

  it('postgres that ends a connection amid a transaction fails that transaction, and no later one', async () => {
    const handle = await freshDatabase('postgres');
    const { db } = handle;
    const failure = await failureOf(
      db.transaction().execute(async (tx) => {
        await write(tx, 'cut');
        const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx);
        await sql`select pg_terminate_backend(${rows[0]?.pid})`.execute(db);
        await new Promise((resolve) => setTimeout(resolve, 50));
        await write(tx, 'after the cut');
      }),
    );
    expect(isUnavailable(failure) && failure.message).toMatch(/PostgreSQL/);
    expect(await handle.problem()).toBeUndefined();
    expect(await db.selectFrom('settings').select('key').where('key', 'like', '%cut').execute()).toEqual([]);
    await write(db, 'later');
    await handle.close();
  });
});
