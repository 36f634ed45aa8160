import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import type { FeedFact } from '../feeds/advisory.ts';
import { encodeStatement } from './codec.ts';

/** Facts per transaction: large enough to be fast, small enough to stay in the page cache. */
const BATCH = 20_000;

/** Names of lists that are known to be there already. */
const KNOWN_LISTS = 50_000;

/** A temporary database that takes facts in any order and gives them back by key, so that no feed has to fit in memory. */
export interface Staging {
  readonly path: string;
  /** `modified` decides between two records of one feed about one vulnerability. */
  add(fact: FeedFact, feed: string, modified: string): void;
  /** Ends the last transaction; nothing can be added afterwards. */
  finish(): void;
}

/** Creates the staging database at `path`, which must not exist. Not crash-safe: it is thrown away after the build. */
export function createStaging(path: string): Staging {
  const db = new DatabaseSync(path);
  db.exec(`
    pragma journal_mode = memory; pragma synchronous = off; pragma cache_size = -16000; pragma locking_mode = exclusive;
    -- Lists of names that statements share, named by their hash: the order in which records come changes nothing.
    create table list (hash text primary key, names text not null) without rowid;
    create table fact (ecosystem text not null, name text not null, body text not null);
    create table vulnerability (
      id text not null, feed text not null, severities text, published text, rejected integer not null,
      modified text not null, primary key (id, feed)
    ) without rowid;
    create table kev (id text primary key, added text not null) without rowid;
    create table epss (id text primary key, probability real not null, percentile real not null) without rowid;
  `);
  const insertFact = db.prepare('insert into fact values (?, ?, ?)');
  const insertVulnerability = db.prepare(
    `insert into vulnerability values (?, ?, ?, ?, ?, ?) on conflict (id, feed) do update set severities = excluded.severities,
     published = excluded.published, rejected = excluded.rejected, modified = excluded.modified
     where excluded.modified >= modified`,
  );
  const insertKev = db.prepare(
    'insert into kev values (?, ?) on conflict (id) do update set added = min(added, excluded.added)',
  );
  const insertEpss = db.prepare('insert or replace into epss values (?, ?, ?)');
  const insertList = db.prepare('insert or ignore into list values (?, ?)');
  const known = new Set<string>();
  let pending = 0;

  function share(names: readonly string[]): string {
    const text = JSON.stringify(names);
    const hash = createHash('sha256').update(text).digest('hex').slice(0, 32);
    if (known.has(hash)) return hash;
    insertList.run(hash, text);
    if (known.size >= KNOWN_LISTS) known.clear();
    known.add(hash);
    return hash;
  }

  function insert(fact: FeedFact, feed: string, modified: string): void {
    switch (fact.kind) {
      case 'statement':
        insertFact.run(fact.ecosystem, fact.name, encodeStatement(fact.statement, share));
        break;
      case 'vulnerability': {
        const severities = fact.severities.length === 0 ? null : JSON.stringify(fact.severities);
        insertVulnerability.run(fact.id, feed, severities, fact.published ?? null, Number(fact.rejected), modified);
        break;
      }
      case 'kev':
        insertKev.run(fact.id, fact.added);
        break;
      case 'epss':
        insertEpss.run(fact.id, fact.probability, fact.percentile);
        break;
      case 'problem':
        break;
    }
  }

  return {
    path,
    add(fact, feed, modified) {
      if (pending === 0) db.exec('begin');
      insert(fact, feed, modified);
      pending += 1;
      if (pending < BATCH) return;
      db.exec('commit');
      pending = 0;
    },
    finish() {
      if (pending > 0) db.exec('commit');
      db.close();
    },
  };
}
