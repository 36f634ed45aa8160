import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { AdvisorySource } from '../../model/coverage.ts';
import type { SeverityStatement } from '../../model/severity.ts';
import { messageOf } from '../../platform/errors.ts';
import type { AdvisoryStatement, VulnerabilityFacts } from '../matcher/lookup.ts';
import { decodeBody } from './codec.ts';
import { AdvisoryDatabaseError } from './errors.ts';
import { statementsMentioning, statementsNamed } from './mentioning.ts';
import { APPLICATION_ID, SCHEMA_VERSION, TABLES_OF } from './schema.ts';
import type { AdvisoryDatabase } from './types.ts';

/** Decoded packages kept at hand: images of one base share theirs. */
const CACHED_PACKAGES = 256;

/**
 * Opens an advisory database file for point queries: read-only and memory-mapped. The content is not verified here
 * (`verifyAdvisoryDatabase` does, once, at import). Fails with `AdvisoryDatabaseError`.
 */
export function openAdvisoryDatabase(path: string): AdvisoryDatabase {
  const db = openChecked(path);
  const meta = new Map(
    db
      .prepare('select key, value from meta')
      .all()
      .map((row) => [String(row['key']), String(row['value'])]),
  );
  const sources = db.prepare('select * from source order by ecosystem, feed').all().map(toSource);
  const byEcosystem = Map.groupBy(sources, ({ ecosystem }) => ecosystem);
  const selectPackage = db.prepare('select body from package where ecosystem = ? and name = ?');
  const selectVulnerability = db.prepare('select * from vulnerability where id = ?');
  const cache = new Map<string, readonly AdvisoryStatement[]>();

  return {
    path,
    version: meta.get('version') ?? '',
    builtAt: meta.get('built_at') ?? '',
    sources,
    sourcesOf: (ecosystem) => byEcosystem.get(ecosystem) ?? [],
    ecosystemsUnder: (prefix) => [...byEcosystem.keys()].filter((ecosystem) => ecosystem.startsWith(prefix)),
    advisoriesFor(ecosystem, name) {
      const key = `${ecosystem}\n${name}`;
      const known = cache.get(key);
      if (known !== undefined) return known;
      const body = selectPackage.get(ecosystem, name)?.['body'];
      const statements = typeof body === 'string' ? decodeBody(body) : [];
      const oldest = cache.size < CACHED_PACKAGES ? undefined : cache.keys().next().value;
      if (oldest !== undefined) cache.delete(oldest);
      cache.set(key, statements);
      return statements;
    },
    vulnerability(id) {
      const row = selectVulnerability.get(id);
      return row === undefined ? undefined : toFacts(row);
    },
    *keys() {
      const rows = db
        .prepare('select ecosystem, name, hex(hash) as hash from package order by ecosystem, name')
        .iterate();
      for (const row of rows) {
        yield { ecosystem: String(row['ecosystem']), name: String(row['name']), hash: String(row['hash']) };
      }
    },
    mentioning: schemaOf(db) === SCHEMA_VERSION ? statementsNamed(db) : statementsMentioning(db),
    close: () => db.close(),
  };
}

/** Opens a file and makes sure that it is an advisory database of this schema, with nothing else in it. `name`: in messages. */
export function openChecked(path: string, name = path): DatabaseSync {
  if (!existsSync(path)) throw new AdvisoryDatabaseError('not_found', `there is no advisory database at ${name}`);
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { readOnly: true, allowExtension: false });
    db.exec(`pragma trusted_schema = off; pragma query_only = on`);
    expectSchema(db, name);
    return db;
  } catch (error) {
    db?.close();
    if (error instanceof AdvisoryDatabaseError) throw error;
    throw new AdvisoryDatabaseError('not_a_database', `${name} is no advisory database: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Version of the tables and of the encoding in a file. Throws as opening it does. */
export function schemaOfFile(path: string): number {
  const db = openChecked(path);
  try {
    return schemaOf(db);
  } finally {
    db.close();
  }
}

/** Version of the tables and of the encoding in an open file. */
export function schemaOf(db: DatabaseSync): number {
  return Number(db.prepare('pragma user_version').get()?.['user_version']);
}

function expectSchema(db: DatabaseSync, name: string): void {
  if (db.prepare('pragma application_id').get()?.['application_id'] !== APPLICATION_ID) {
    throw new AdvisoryDatabaseError('not_a_database', `${name} is a SQLite file, but no advisory database`);
  }
  const version = schemaOf(db);
  const tables = TABLES_OF.get(version);
  if (!tables) {
    throw new AdvisoryDatabaseError(
      'wrong_schema',
      `${name} has schema ${String(version)}, this program reads schemas ${[...TABLES_OF.keys()].join(' and ')}: build it again with this version`,
    );
  }
  const objects = db.prepare('select type, name from sqlite_schema order by name').all();
  const unexpected = objects.find((found) => found['type'] !== 'table' || !tables.includes(String(found['name'])));
  if (unexpected !== undefined || objects.length !== tables.length) {
    throw new AdvisoryDatabaseError('wrong_schema', `${name} does not have exactly the tables ${tables.join(', ')}`);
  }
}

type Row = Record<string, unknown>;

function toSource(row: Row): AdvisorySource {
  const { newest, note } = row;
  return {
    ecosystem: String(row['ecosystem']),
    feed: String(row['feed']),
    completeness: row['completeness'] === 'complete' ? 'complete' : 'sample',
    records: Number(row['records']),
    ...(typeof newest === 'string' ? { newest } : {}),
    ...(typeof note === 'string' ? { note } : {}),
  };
}

function toFacts({ severities, published, rejected, kev, epss, percentile }: Row): VulnerabilityFacts {
  return {
    severities: typeof severities === 'string' ? (JSON.parse(severities) as readonly SeverityStatement[]) : [],
    ...(typeof published === 'string' ? { published } : {}),
    ...(rejected === 1 ? { rejected: true } : {}),
    ...(typeof kev === 'string' ? { kev } : {}),
    ...(typeof epss === 'number' ? { epss: { probability: epss, percentile: Number(percentile) } } : {}),
  };
}
