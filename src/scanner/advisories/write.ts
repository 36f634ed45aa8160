import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import type { AdvisorySource } from '../../model/coverage.ts';
import type { PublishedStatement } from '../feeds/advisory.ts';
import { decodeStatement, encodeBody, encodePlaces } from './codec.ts';
import { contentHash } from './content-hash.ts';
import { mergeCopies } from './merge-copies.ts';
import { createSchema, SCHEMA_VERSION } from './schema.ts';
import { writeVulnerabilities } from './write-vulnerabilities.ts';

export interface Written {
  readonly version: string;
  readonly packages: number;
  readonly statements: number;
  readonly vulnerabilities: number;
}

/** Writes the final database from a finished staging database, in key order, one package in memory at a time. */
export function writeDatabase(
  path: string,
  stagingPath: string,
  sources: readonly AdvisorySource[],
  builtAt: string,
  onPackage: (done: number) => void,
): Written {
  const db = new DatabaseSync(path);
  try {
    db.exec(
      'pragma page_size = 4096; pragma journal_mode = memory; pragma synchronous = off; pragma cache_size = -16000',
    );
    createSchema(db);
    db.prepare('attach database ? as staging').run(stagingPath);
    db.exec('begin');
    writeSources(db, sources);
    const vulnerabilities = writeVulnerabilities(db);
    const counts = writePackages(db, onPackage);
    db.exec('commit; detach database staging');
    const version = contentHash(db, SCHEMA_VERSION);
    const meta = db.prepare('insert into meta values (?, ?)');
    meta.run('built_at', builtAt);
    meta.run('version', version);
    return { version, vulnerabilities, ...counts };
  } finally {
    db.close();
  }
}

function writeSources(db: DatabaseSync, sources: readonly AdvisorySource[]): void {
  const insert = db.prepare('insert into source values (?, ?, ?, ?, ?, ?)');
  for (const { ecosystem, feed, completeness, records, newest, note } of sources) {
    insert.run(ecosystem, feed, completeness, records, newest ?? null, note ?? null);
  }
}

function writePackages(
  db: DatabaseSync,
  onPackage: (done: number) => void,
): { readonly packages: number; readonly statements: number } {
  const insert = db.prepare('insert into main.package values (?, ?, ?, ?)');
  const insertPlace = db.prepare('insert into main.place values (?, ?, ?)');
  // Gathered in the order of packages, and written in that of ids.
  db.exec('create table staging.named (id text not null, place integer not null)');
  const insertNamed = db.prepare('insert into staging.named values (?, ?)');
  const facts = db.prepare(
    'select severities, published, rejected, kev, epss, percentile from main.vulnerability where id = ?',
  );
  facts.setReturnArrays(true);
  const rows = db.prepare('select distinct ecosystem, name, body from staging.fact order by ecosystem, name, body');
  const selectList = db.prepare('select names from staging.list where hash = ?');
  const lists = new Map<string, readonly string[]>();
  /** One array for all statements of a package that name the same list. */
  const listOf = (hash: string): readonly string[] => {
    const known = lists.get(hash) ?? (JSON.parse(String(selectList.get(hash)?.['names'])) as readonly string[]);
    lists.set(hash, known);
    return known;
  };
  let packages = 0;
  let statements = 0;
  let open: { ecosystem: string; name: string; statements: PublishedStatement[] } | undefined;

  function close(): void {
    if (open === undefined) return;
    const merged = mergeCopies(open.statements);
    const body = encodeBody(merged);
    const hash = createHash('sha256').update(body);
    for (const id of new Set(merged.flatMap(({ vulnerabilities }) => vulnerabilities.flat())))
      hash.update(JSON.stringify(facts.get(id) ?? null));
    insert.run(open.ecosystem, open.name, hash.digest().subarray(0, 16), body);
    insertPlace.run(packages, open.ecosystem, open.name);
    const ids = merged.flatMap(({ advisory, vulnerabilities }) => [advisory, ...vulnerabilities.flat()]);
    for (const id of new Set(ids.map((one) => one.toLowerCase()))) insertNamed.run(id, packages);
    packages += 1;
    statements += merged.length;
    onPackage(packages);
  }

  for (const row of rows.iterate()) {
    const { ecosystem, name, body } = row as { ecosystem: string; name: string; body: string };
    if (open?.ecosystem !== ecosystem || open.name !== name) {
      close();
      open = { ecosystem, name, statements: [] };
      lists.clear();
    }
    open.statements.push(decodeStatement(body, listOf));
  }
  close();
  writeNamed(db);
  return { packages, statements };
}

function writeNamed(db: DatabaseSync): void {
  const insert = db.prepare('insert into main.named values (?, ?)');
  let open: { readonly id: string; readonly places: number[] } | undefined;
  for (const row of db.prepare('select id, place from staging.named order by id, place').iterate()) {
    const { id, place } = row as { id: string; place: number };
    if (open?.id === id) {
      open.places.push(place);
      continue;
    }
    if (open) insert.run(open.id, encodePlaces(open.places));
    open = { id, places: [place] };
  }
  if (open) insert.run(open.id, encodePlaces(open.places));
}
