import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openDatabase } from './database.ts';

/** More than is moved at once, and less than SQLite moves by itself. */
const WRITTEN = 40 * 1024 * 1024;
const ROW = 64 * 1024;

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'breakwater-log-'));
  path = join(folder, 'db.sqlite');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function insert(handle: Awaited<ReturnType<typeof openDatabase>>, key: number) {
  return handle.db
    .insertInto('settings')
    .values({ key: `k${key}`, value: String(key).padEnd(ROW, 'x') })
    .execute();
}

function kept(): number {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return Number(db.prepare("select count(*) as n from settings where key like 'k%'").get()?.['n']);
  } finally {
    db.close();
  }
}

describe('the log of a database on a disk', () => {
  it('is moved into the file while others write', async () => {
    const handle = await openDatabase({ engine: 'sqlite', path });
    const rows = WRITTEN / ROW;
    for (let key = 0; key < rows; key += 1) await insert(handle, key);
    await vi.waitFor(async () => expect((await stat(path)).size).toBeGreaterThan(WRITTEN / 4), 10_000);
    expect(kept()).toBe(rows);
    await handle.close();
    await expect(stat(`${path}-wal`)).rejects.toThrow('ENOENT');
    expect(kept()).toBe(rows);
  });

  it('ends with it at any moment', async () => {
    let rows = 0;
    for (let round = 0; round < 4; round += 1) {
      const handle = await openDatabase({ engine: 'sqlite', path });
      for (let n = 0; n < 300 + round; n += 1) {
        await insert(handle, rows);
        rows += 1;
      }
      await handle.close();
      expect(kept()).toBe(rows);
    }
  });

  it('stays where it is while somebody reads what was before it', async () => {
    const handle = await openDatabase({ engine: 'sqlite', path });
    await insert(handle, 0);
    const reader = new DatabaseSync(path, { readOnly: true });
    reader.exec('begin; select count(*) from settings');
    const before = reader.prepare("select count(*) as n from settings where key like 'k%'").get();
    for (let key = 1; key < WRITTEN / ROW; key += 1) await insert(handle, key);
    expect(reader.prepare("select count(*) as n from settings where key like 'k%'").get()).toEqual(before);
    reader.exec('commit');
    reader.close();
    await handle.close();
    expect(kept()).toBe(WRITTEN / ROW);
  });
});
