import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import type { AdvisorySource } from '../../model/coverage.ts';
import type { PublishedStatement } from '../feeds/advisory.ts';
import { decodeStatement, encodeBody } from './codec.ts';
import { contentHash } from './content-hash.ts';
import { createSchema, SCHEMA_VERSION } from './schema.ts';

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

function writeVulnerabilities(db: DatabaseSync): number {
  const { changes } = db
    .prepare(
      `insert into main.vulnerability
       select ids.id, v.severities, v.published, coalesce(v.rejected, 0), k.added, e.probability, e.percentile
       from (select id from staging.vulnerability union select id from staging.kev union select id from staging.epss) ids
       left join staging.vulnerability v on v.id = ids.id
       left join staging.kev k on k.id = ids.id
       left join staging.epss e on e.id = ids.id
       order by ids.id`,
    )
    .run();
  return Number(changes);
}

function writePackages(
  db: DatabaseSync,
  onPackage: (done: number) => void,
): { readonly packages: number; readonly statements: number } {
  const insert = db.prepare('insert into main.package values (?, ?, ?, ?)');
  const facts = db.prepare(
    'select severities, published, rejected, kev, epss, percentile from main.vulnerability where id = ?',
  );
  facts.setReturnArrays(true);
  const rows = db.prepare('select distinct ecosystem, name, body from staging.fact order by ecosystem, name, body');
  let packages = 0;
  let statements = 0;
  let open: { ecosystem: string; name: string; bodies: string[] } | undefined;

  function close(): void {
    if (open === undefined) return;
    const merged = mergeCopies(open.bodies);
    const body = encodeBody(merged);
    const hash = createHash('sha256').update(body);
    for (const id of new Set(merged.flatMap(({ vulnerabilities }) => vulnerabilities.flat())))
      hash.update(JSON.stringify(facts.get(id) ?? null));
    insert.run(open.ecosystem, open.name, hash.digest().subarray(0, 16), body);
    packages += 1;
    statements += merged.length;
    onPackage(packages);
  }

  for (const row of rows.iterate()) {
    const { ecosystem, name, body } = row as { ecosystem: string; name: string; body: string };
    if (open?.ecosystem !== ecosystem || open.name !== name) {
      close();
      open = { ecosystem, name, bodies: [] };
    }
    open.bodies.push(body);
  }
  close();
  return { packages, statements };
}

/**
 * OSV's Alpine records are made from Alpine's security database: where both say the same, one statement is kept, with the
 * date and the record id that only OSV has. What OSV says beyond that stays.
 */
function mergeCopies(bodies: readonly string[]): readonly PublishedStatement[] {
  const statements = bodies.map(decodeStatement);
  const originals = new Map<string, number>();
  for (const [i, statement] of statements.entries()) {
    if (statement.feed === 'alpine-secdb') originals.set(substance(statement), i);
  }
  if (originals.size === 0) return statements;
  const copies = new Set<number>();
  for (const [i, statement] of statements.entries()) {
    const at = originals.get(substance(statement));
    const original = at === undefined ? undefined : statements[at];
    if (at === undefined || original === undefined || statement.feed !== 'osv:Alpine') continue;
    if (statement.severities.length > 0 || statement.advisory !== original.advisory) continue;
    statements[at] = { ...original, ...(statement.published ? { published: statement.published } : {}) };
    copies.add(i);
  }
  return statements.filter((_, i) => !copies.has(i));
}

function substance({ vulnerabilities, ranges, versions }: PublishedStatement): string {
  return JSON.stringify([vulnerabilities[0]?.[0], ranges, versions]);
}
