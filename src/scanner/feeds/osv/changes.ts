import { createHash } from 'node:crypto';
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeWholeFile } from '../../../platform/whole-file.ts';
import { FeedError } from '../errors.ts';
import { readZip } from '../zip-entries.ts';
import { fieldOf } from './schema.ts';

/** File beside a bulk file with what changed since: every record that exists now, and the text of those that are newer. */
const NAME = 'changes.sqlite';
const APPLICATION_ID = 0x42574f43;
const TAIL = 64 * 1024;
const MAX_RECORD_BYTES = 64 * 1024 * 1024;

/** The records of an ecosystem after changes: which of the bulk file still count, and what replaces or joins them. */
export interface OsvChanges {
  /** True when the record of the bulk file is neither removed nor replaced. */
  stands(id: string): boolean;
  /** Texts of changed and added records, by id. */
  texts(): Iterable<{ readonly id: string; readonly json: string }>;
  close(): void;
}

/** The changes to the bulk file at `zip`; undefined when there are none that belong to this very file. */
export function openOsvChanges(zip: string): OsvChanges | undefined {
  const path = join(dirname(zip), NAME);
  if (!existsSync(path)) return undefined;
  const db = openIfFor(path, zip, true);
  if (db === undefined) return undefined;
  const find = db.prepare('select body is null as old from record where id = ?');
  return {
    stands: (id) => find.get(id)?.['old'] === 1,
    *texts() {
      for (const row of db.prepare('select id, body from record where body is not null order by id').iterate()) {
        yield { id: String(row['id']), json: String(row['body']) };
      }
    },
    close: () => db.close(),
  };
}

/** Takes note of changes; nothing of them is seen by readers before `commit`. */
export interface OsvChangeWriter {
  /** Time of the last known change of a record; undefined when it is not known. */
  modified(id: string): string | undefined;
  /** Ids known, in no order. */
  ids(): Iterable<string>;
  replace(id: string, modified: string, json: string): void;
  remove(id: string): void;
  /** How many records have texts here instead of in the bulk file. */
  readonly replaced: number;
  commit(): void;
  /** Ends without a commit when there was none. */
  close(): void;
}

/** Opens the changes to a bulk file for writing; makes them, without any, when there are none that belong to this file. */
export async function writeOsvChanges(zip: string): Promise<OsvChangeWriter> {
  const path = join(dirname(zip), NAME);
  const db = (existsSync(path) ? openIfFor(path, zip, false) : undefined) ?? (await index(zip, path));
  db.exec('begin immediate');
  const find = db.prepare('select modified from record where id = ?');
  const put = db.prepare(
    'insert into record values (?, ?, ?) on conflict (id) do update set modified = excluded.modified, body = excluded.body',
  );
  const drop = db.prepare('delete from record where id = ?');
  return {
    modified: (id) => {
      const found = find.get(id)?.['modified'];
      return typeof found === 'string' ? found : undefined;
    },
    *ids() {
      for (const row of db.prepare('select id from record').all()) yield String(row['id']);
    },
    replace: (id, modified, json) => void put.run(id, modified, json),
    remove: (id) => void drop.run(id),
    get replaced() {
      return Number(db.prepare('select count(*) as n from record where body is not null').get()?.['n']);
    },
    commit: () => db.exec('commit'),
    close() {
      if (db.isTransaction) db.exec('rollback');
      db.close();
    },
  };
}

/** An open file of changes when it is one and belongs to the bulk file as it is now. */
function openIfFor(path: string, zip: string, readOnly: boolean): DatabaseSync | undefined {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { readOnly, allowExtension: false });
    db.exec('pragma trusted_schema = off');
    const known = db.prepare('pragma application_id').get()?.['application_id'] === APPLICATION_ID;
    if (known && db.prepare('select value from meta where key = ?').get('zip')?.['value'] === identityOf(zip))
      return db;
  } catch {
    // A damaged file is as good as none: it is made again out of the bulk file.
  }
  db?.close();
  return undefined;
}

/** Makes the file anew: the ids of the bulk file with the times of their last change. */
async function index(zip: string, path: string): Promise<DatabaseSync> {
  await makeWholeFile(path, (part) => fill(part, zip));
  const db = openIfFor(path, zip, false);
  if (db === undefined) throw new FeedError('unreadable', `${path} cannot be written`);
  return db;
}

async function fill(part: string, zip: string): Promise<void> {
  const making = new DatabaseSync(part);
  try {
    making.exec(`
      pragma application_id = ${APPLICATION_ID}; pragma journal_mode = off; pragma synchronous = off;
      create table meta (key text primary key, value text not null) without rowid;
      create table record (id text primary key, modified text not null, body text) without rowid;
      begin;
    `);
    making.prepare('insert into meta values (?, ?)').run('zip', identityOf(zip));
    const insert = making.prepare('insert or replace into record values (?, ?, null)');
    for await (const entry of readZip(zip, MAX_RECORD_BYTES)) {
      const content = entry.name.endsWith('.json') ? entry.read() : undefined;
      const id = idOfEntry(entry.name);
      if (content && 'bytes' in content) insert.run(id, modifiedOf(content.bytes.toString('utf8')) ?? '');
    }
    making.exec('commit');
  } finally {
    making.close();
  }
}

/** The id of a record by the name of its entry. */
export function idOfEntry(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1).replace(/\.json$/, '');
}

/** Time of the last change in the text of a record; undefined when it is no record. */
export function modifiedOf(json: string): string | undefined {
  try {
    return fieldOf(JSON.parse(json), 'modified');
  } catch {
    return undefined;
  }
}

/** Tells one bulk file from another: its size and its end, which holds the checksums of all that is in it. */
function identityOf(path: string): string {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const tail = Buffer.alloc(Math.min(TAIL, size));
    readSync(file, tail, 0, tail.length, size - tail.length);
    return `${size} ${createHash('sha256').update(tail).digest('hex')}`;
  } finally {
    closeSync(file);
  }
}
