import { copyFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixedClock } from '../../platform/clock.ts';
import { type BuildReport, buildAdvisoryDatabase } from './build.ts';
import { type AdvisoryChanges, changedKeys } from './changes.ts';
import { contentHash } from './content-hash.ts';
import { openAdvisoryDatabase } from './database.ts';
import { knownAs } from './known-as.ts';
import { packDatabase } from './pack.ts';
import { installSnapshot, SNAPSHOT_PATH } from './snapshot.ts';
import { createAdvisoryStore } from './store.ts';
import type { AdvisoryDatabase } from './types.ts';
import { verifyAdvisoryDatabase } from './verify.ts';

const from = join(import.meta.dirname, 'testdata/feeds');
const folder = mkdtempSync(join(tmpdir(), 'breakwater-advisories-'));
const clock = fixedClock(Date.parse('2026-11-25T12:00:00Z'));
const path = join(folder, 'a.sqlite');
let report: BuildReport;
let database: AdvisoryDatabase;

beforeAll(async () => {
  report = await buildAdvisoryDatabase({ from, out: path, clock });
  database = openAdvisoryDatabase(path);
});
afterAll(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

/** A copy of the built database, changed by SQL. */
function changed(name: string, sql: string): string {
  const copy = join(folder, name);
  copyFileSync(path, copy);
  const db = new DatabaseSync(copy);
  db.exec(sql);
  db.close();
  return copy;
}

/** The built database as earlier versions wrote it. */
function ofSchema2(): string {
  const file = changed('schema-2.sqlite', 'drop table named; drop table place; pragma user_version = 2');
  const db = new DatabaseSync(file);
  db.prepare("update meta set value = ? where key = 'version'").run(contentHash(db, 2));
  db.close();
  return file;
}

/** What changed from the built database to another file. */
function keysOf(file: string): AdvisoryChanges {
  const next = openAdvisoryDatabase(file);
  try {
    return changedKeys(database, next);
  } finally {
    next.close();
  }
}

describe('building', () => {
  it('counts what was wrong and goes on', () => {
    expect(Object.fromEntries(Object.entries(report.problems).map(([kind, { count }]) => [kind, count]))).toEqual({
      'malformed-record': 6,
      'empty-range': 1,
      'invalid-version': 1,
      contradiction: 1,
      'future-date': 1,
      withdrawn: 1,
    });
  });

  it('names the content, not the moment or the place', async () => {
    const later = fixedClock(clock.now() + 86_400_000);
    const again = await buildAdvisoryDatabase({ from, out: join(folder, 'b.sqlite'), clock: later });
    expect(again.version).toBe(report.version);
    expect(again.builtAt).not.toBe(report.builtAt);
  });

  it('tells how far it is', async () => {
    const seen: string[] = [];
    await buildAdvisoryDatabase({
      from,
      out: join(folder, 'c.sqlite'),
      clock,
      onProgress: ({ phase, done, total }) => seen.push(`${phase} ${done}/${total}`),
    });
    expect(seen[0]).toBe('read 0/11');
    expect(seen).toContain('read 10/11');
  });

  it('leaves the old file and no other behind when a feed cannot be read', async () => {
    const broken = mkdtempSync(join(folder, 'feeds-'));
    writeFileSync(join(broken, 'kev.json'), '{"catalogVersion": "x"}');
    const out = join(mkdtempSync(join(folder, 'out-')), 'db.sqlite');
    writeFileSync(out, 'old');
    await expect(buildAdvisoryDatabase({ from: broken, out, clock })).rejects.toThrow(/kev.json is no KEV catalogue/);
    expect(readFileSync(out, 'utf8')).toBe('old');
    expect(readdirSync(join(out, '..'))).toEqual(['db.sqlite']);
  });

  it('refuses a bad statement about completeness', async () => {
    const completeness = join(folder, 'feeds.json');
    writeFileSync(completeness, '{"version": 1, "feeds": [{"feed": "osv", "completeness": "perhaps"}]}');
    await expect(buildAdvisoryDatabase({ from, out: path, clock, completeness })).rejects.toThrow(
      /is no statement about feeds/,
    );
  });
});

describe('an advisory database', () => {
  it('knows where its facts come from and what they are worth', () => {
    expect(database.sourcesOf('npm')).toMatchObject([{ feed: 'osv:npm', completeness: 'complete' }]);
    expect(database.sourcesOf('Debian:12')).toMatchObject([
      { feed: 'osv:Debian', completeness: 'sample', note: 'two packages' },
    ]);
    expect(database.sourcesOf('Alpine:v3.20')).toMatchObject([
      { feed: 'alpine-secdb', completeness: 'complete' },
      { feed: 'osv:Alpine', completeness: 'sample', note: expect.stringContaining('nobody has stated') },
    ]);
    expect(database.sourcesOf('Alpine:v9.99')).toEqual([]);
    expect(database.builtAt).toBe('2026-11-25T12:00:00Z');
  });

  it('does not believe dates in the future', () =>
    expect(database.sourcesOf('npm')[0]?.newest?.slice(0, 2)).toBe('20'));

  it('leaves out what the statements exclude', () => {
    expect(database.advisoriesFor('Ubuntu:24.04:LTS', 'left-out')).toEqual([]);
    expect(database.sources.some(({ ecosystem }) => ecosystem.startsWith('Ubuntu'))).toBe(false);
  });

  it('keeps one statement where OSV repeats secdb', () => {
    const statements = database
      .advisoriesFor('Alpine:v3.20', 'busybox')
      .filter(({ ids }) => ids.includes('CVE-2024-58251'));
    expect(statements).toMatchObject([
      { feed: 'alpine-secdb', advisory: 'ALPINE-CVE-2024-58251', ranges: [{ fixed: expect.any(String) }] },
    ]);
    expect(statements[0]?.published).toMatch(/^20\d\d-/);
  });

  it('gives one statement per vulnerability of a record about several', () => {
    const statements = database.advisoriesFor('Debian:11', 'zlib').filter(({ advisory }) => advisory === 'DSA-5218-1');
    expect(statements.map(({ ids }) => ids)).toEqual([['CVE-2022-37434', 'DSA-5218-1']]);
  });

  it.each(['as they are built', 'of schema 2, which has no index'])(
    'has every statement about some ids, of whatever packages, in files %s',
    async (kind) => {
      const asked = kind === 'as they are built' ? database : openAdvisoryDatabase(ofSchema2());
      const every = [...database.keys()].flatMap(({ ecosystem, name }) => database.advisoriesFor(ecosystem, name));
      const about = async (...ids: string[]) => {
        const found = [];
        for await (const statement of asked.mentioning(ids)) found.push(statement);
        return found;
      };
      for (const id of ['ALPINE-CVE-2024-58251', 'CVE-2022-37434', 'DSA-5218-1']) {
        const expected = every.filter(({ advisory, ids }) => [advisory, ...ids].includes(id));
        expect(expected).not.toEqual([]);
        expect(await about(id.toLowerCase())).toEqual(expected);
      }
      expect(await about(...new Set(every.map(({ advisory }) => advisory)))).toEqual(every);
      expect([await about(), await about('CVE-.*'), await about('CVE-2022')]).toEqual([[], [], []]);
      if (asked !== database) asked.close();
    },
  );

  it('says by an index where an id is named', async () => {
    const without = openAdvisoryDatabase(changed('named.sqlite', "delete from named where id = 'cve-2022-37434'"));
    for await (const statement of without.mentioning(['CVE-2022-37434'])) expect(statement).toBeUndefined();
    without.close();
  });

  it('knows the CVE behind an id of an advisory', async () => {
    const known = await knownAs(database, ['alpine-cve-2024-58251']);
    expect(known.get('alpine-cve-2024-58251')?.names).toContain('cve-2024-58251');
  });

  it('joins severities, KEV and EPSS by id', () => {
    expect(database.vulnerability('CVE-2025-15467')).toMatchObject({
      kev: '2026-02-01',
      severities: expect.arrayContaining([expect.objectContaining({ source: expect.any(String) })]),
    });
    expect(database.vulnerability('CVE-2020-5902')?.epss).toEqual({ probability: 0.97567, percentile: 0.99995 });
    expect(database.vulnerability('CVE-2020-8203')?.rejected).toBe(true);
    expect(database.vulnerability('CVE-1999-0001')).toBeUndefined();
  });
});

describe('what changed between two databases', () => {
  it('is nothing for the same content', () =>
    expect(keysOf(join(folder, 'b.sqlite'))).toEqual({ keys: [], ecosystems: [] }));

  it('is everything without a previous one', () => {
    const { keys, ecosystems } = changedKeys(undefined, database);
    expect([keys.length, ecosystems]).toEqual([
      report.packages,
      [...new Set(database.sources.map(({ ecosystem }) => ecosystem))].sort(),
    ]);
  });

  it('is what was added, removed or altered', async () => {
    const file = changed(
      'd.sqlite',
      `update package set hash = x'00' where ecosystem = 'npm' and name = 'lodash'; delete from package where name = 'evil';
       insert into package values ('npm', 'zzz', x'01', '[]'); update meta set value = 'sha256:${'0'.repeat(64)}' where key = 'version'`,
    );
    expect(keysOf(file)).toEqual({
      keys: ['evil', 'lodash', 'zzz'].map((name) => ({ ecosystem: 'npm', name })),
      ecosystems: [],
    });
  });

  it('includes packages whose vulnerability got another severity or entered KEV', async () => {
    const feeds = mkdtempSync(join(folder, 'kev-'));
    cpSync(from, feeds, { recursive: true });
    writeFileSync(
      join(feeds, 'kev.json'),
      readFileSync(join(feeds, 'kev.json'), 'utf8').replace('CVE-2025-15467', 'CVE-2024-58251'),
    );
    const out = join(folder, 'e.sqlite');
    await buildAdvisoryDatabase({ from: feeds, out, clock });
    const names = keysOf(out)
      .keys.filter(({ ecosystem }) => ecosystem === 'Alpine:v3.20')
      .map(({ name }) => name);
    expect(names).toEqual(['busybox', 'openssl']);
  });
});

describe('files that are no advisory database', () => {
  it.each([
    [
      'of another kind',
      () => {
        const file = join(folder, 'x');
        writeFileSync(file, 'x'.repeat(5000));
        return file;
      },
      /no advisory database/,
    ],
    ['that do not exist', () => join(folder, 'absent'), /there is no advisory database/],
    ['of another schema', () => changed('schema.sqlite', 'pragma user_version = 99'), /has schema 99/],
    [
      'of another program',
      () => changed('app.sqlite', 'pragma application_id = 1'),
      /a SQLite file, but no advisory database/,
    ],
    [
      'with a view in them',
      () => changed('view.sqlite', 'drop table source; create view source as select 1'),
      /exactly the tables/,
    ],
    [
      'with changed content',
      () => changed('content.sqlite', "delete from package where name = 'lodash'"),
      /claims to be sha256:.* but its content is/,
    ],
    [
      'with another index',
      () => changed('index.sqlite', "delete from named where id = 'cve-2022-37434'"),
      /claims to be sha256:.* but its content is/,
    ],
  ])('are refused: files %s', (_, make, message) => {
    const file = make();
    expect(() => verifyAdvisoryDatabase(file)).toThrow(message);
  });

  it('are taken when an earlier version built them', () => {
    expect(verifyAdvisoryDatabase(ofSchema2())).toMatch(/^sha256:/);
  });

  it('are refused when damaged anywhere', () => {
    const bytes = readFileSync(path);
    const file = join(folder, 'damaged.sqlite');
    let refused = 0;
    for (let at = 0; at < bytes.length; at += Math.ceil(bytes.length / 60)) {
      const damaged = Buffer.from(bytes);
      damaged.fill(0xa5, at, at + 64);
      writeFileSync(file, damaged);
      try {
        verifyAdvisoryDatabase(file);
      } catch (error) {
        expect(error).toMatchObject({ name: 'AdvisoryDatabaseError' });
        refused += 1;
      }
    }
    // Damage in unused bytes of a page changes nothing.
    expect(refused).toBeGreaterThan(40);
  });
});

describe('the store of installed databases', () => {
  it('installs, swaps atomically, tells, keeps old ones for a while, and finds the current one again', async () => {
    const dir = join(folder, 'store');
    const store = createAdvisoryStore({ dir, clock });
    const told: string[] = [];
    store.onChange(({ database, previous }) => told.push(`${previous?.version ?? 'none'} -> ${database.version}`));
    expect(store.current()).toBeUndefined();
    const first = await store.importFile(path);
    expect(first.changed).toBe(true);
    expect((await store.importFile(path)).changed).toBe(false);
    await expect(store.importFile(join(folder, 'content.sqlite'))).rejects.toThrow(/claims to be/);
    expect(store.current()?.version).toBe(report.version);
    const second = await store.importFile(join(folder, 'e.sqlite'));
    expect(second.previous?.version).toBe(report.version);
    expect(second.previous?.advisoriesFor('npm', 'lodash').length).toBeGreaterThan(0);
    expect(told).toEqual([`none -> ${report.version}`, `${report.version} -> ${second.database.version}`]);
    store.close();
    const reopened = createAdvisoryStore({ dir, clock });
    expect(reopened.current()?.version).toBe(second.database.version);
    reopened.close();
    expect(readdirSync(dir).filter((name) => name.endsWith('.part'))).toEqual([]);
    rmSync(join(dir, `${second.database.version.slice(7)}.sqlite`));
    expect(createAdvisoryStore({ dir, clock }).current()).toBeUndefined();
  });

  it('speaks of a file by the name it is given, never of its own copies', async () => {
    const dir = join(folder, 'named');
    const store = createAdvisoryStore({ dir, clock });
    const file = join(folder, 'garbage');
    const [schema, content] = [join(folder, 'schema.sqlite'), join(folder, 'content.sqlite')];
    for (const bytes of [
      Buffer.from('x'),
      Buffer.from('\x28\xb5\x2f\xfdx', 'latin1'),
      readFileSync(schema),
      readFileSync(content),
    ]) {
      writeFileSync(file, bytes);
      const message = await store.importFile(file, 'what was sent').then(String, String);
      expect(message).toContain('what was sent');
      expect(message).not.toContain(folder);
      expect(await store.importFile(file).then(String, String)).toContain(file);
    }
    store.close();
  });

  it('takes packed files', async () => {
    const packed = join(folder, 'a.sqlite.zst');
    await packDatabase(path, packed);
    expect(statSync(packed).size).toBeLessThan(statSync(path).size / 2);
    const store = createAdvisoryStore({ dir: join(folder, 'packed'), clock });
    await installSnapshot(store, packed);
    expect(store.current()?.version).toBe(report.version);
    expect(await installSnapshot(store, packed)).toBeUndefined();
    await expect(store.importFile(join(folder, 'absent'))).rejects.toThrow(/cannot read/);
    writeFileSync(packed, readFileSync(packed).subarray(0, 2000));
    await expect(store.importFile(packed)).rejects.toThrow(/cannot read/);
    store.close();
  });
});

describe('the shipped snapshot', () => {
  it('is small enough to ship', () => expect(statSync(SNAPSHOT_PATH).size).toBeLessThan(12 * 1024 * 1024));
});
