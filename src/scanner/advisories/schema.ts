import type { DatabaseSync } from 'node:sqlite';

/** "BWAD" in the header of the file, so that any other SQLite file is recognised as foreign. */
export const APPLICATION_ID = 0x42574144;
/** Raised with every change of the tables or of the encoding in them. */
export const SCHEMA_VERSION = 3;

export const TABLES = ['meta', 'named', 'package', 'place', 'source', 'vulnerability'] as const;

/** What is read: the tables by version. 2 had no index of ids, and is looked through instead. Other versions are refused. */
export const TABLES_OF: ReadonlyMap<number, readonly string[]> = new Map<number, readonly string[]>([
  [2, ['meta', 'package', 'source', 'vulnerability']],
  [SCHEMA_VERSION, TABLES],
]);

/** Creates the tables of an advisory database. Rows are written in key order once and never changed. */
export function createSchema(db: DatabaseSync): void {
  db.exec(`
    pragma application_id = ${APPLICATION_ID};
    pragma user_version = ${SCHEMA_VERSION};
    create table meta (key text primary key, value text not null) without rowid;
    create table source (
      ecosystem text not null, feed text not null, completeness text not null, records integer not null,
      newest text, note text, primary key (ecosystem, feed)
    ) without rowid;
    -- body: the statements of that package (codec.ts). hash: of everything a finding on it can depend on.
    create table package (
      ecosystem text not null, name text not null, hash blob not null, body text not null, primary key (ecosystem, name)
    ) without rowid;
    -- Packages by their number in key order.
    create table place (number integer primary key, ecosystem text not null, name text not null);
    -- Which packages have statements of an advisory or vulnerability that is called so, in lower case (codec.ts).
    create table named (id text primary key, places text not null) without rowid;
    create table vulnerability (
      id text primary key, severities text, published text, rejected integer not null, kev text,
      epss real, percentile real
    ) without rowid;
  `);
}
