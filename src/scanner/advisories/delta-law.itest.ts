import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fixedClock } from '../../platform/clock.ts';
import { createHttpClient } from '../../platform/http-client.ts';
import { startBucket, zipOf } from '../feeds/fetch/bucket.testing.ts';
import { fetchFeeds } from '../feeds/fetch/index.ts';
import { type BuildReport, buildAdvisoryDatabase } from './build.ts';
import { TABLES } from './schema.ts';
import { stateFetched } from './state-fetched.ts';
import { verifyAdvisoryDatabase } from './verify.ts';

const DAY = 86_400_000;
const START = Date.parse('2026-02-01T00:00:00Z');
const IDS = [
  ...Array.from({ length: 5 }, (_, n) => `CVE-2026-100${n}`),
  ...Array.from({ length: 5 }, (_, n) => `DSA-500${n}-1`),
  ...Array.from({ length: 4 }, (_, n) => `GHSA-aaaa-bbbb-000${n}`),
];
const scratch = mkdtempSync(join(tmpdir(), 'breakwater-delta-'));
const http = createHttpClient({ userAgent: 'test', attempts: 1 });
let files = new Map<string, Buffer>();
let bucket: Awaited<ReturnType<typeof startBucket>>;
let folders = 0;

beforeAll(async () => {
  bucket = await startBucket((path) => files.get(path));
});
afterAll(async () => {
  await Promise.all([http.close(), bucket.close()]);
  rmSync(scratch, { recursive: true, force: true });
});

type Ecosystem = 'Debian' | 'npm';
/** Text and time of the last change of every record, by id. */
type State = ReadonlyMap<string, { readonly modified: string; readonly json: string }>;

/** Few packages, so that records meet in them; few bounds, so that some ranges are empty. */
const version = fc.constantFrom('0', '1.0.0', '1.2.3', '2.0.0', '2.0.0-1', 'not a version');
function affectedOf(base: Ecosystem) {
  const ecosystems = base === 'npm' ? ['npm'] : ['Debian:11', 'Debian:12', 'Debian'];
  return fc.record(
    {
      package: fc.record({
        ecosystem: fc.constantFrom(...ecosystems, 'PyPI'),
        name: fc.constantFrom('left', 'right', '@scope/both'),
      }),
      ranges: fc.array(
        fc.record({
          type: fc.constantFrom('SEMVER', 'ECOSYSTEM', 'GIT'),
          events: fc.tuple(version, version).map(([introduced, fixed]) => [{ introduced }, { fixed }]),
        }),
        { maxLength: 2 },
      ),
      versions: fc.array(version, { maxLength: 3 }),
      ecosystem_specific: fc.record({ urgency: fc.constantFrom('low', 'unimportant', 'end-of-life') }),
    },
    { requiredKeys: ['package'] },
  );
}

function recordOf(base: Ecosystem) {
  return fc.record(
    {
      aliases: fc.array(fc.constantFrom(...IDS), { maxLength: 2 }),
      upstream: fc.array(fc.constantFrom(...IDS), { maxLength: 2 }),
      published: fc.constantFrom('2020-01-01T00:00:00Z', '2021-01-01T00:00:00Z'),
      severity: fc.constant([{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }]),
      // Five is no list of packages: such a record is counted, not used.
      affected: fc.oneof({ weight: 9, arbitrary: fc.array(affectedOf(base), { maxLength: 3 }) }, fc.constant(5)),
    },
    { requiredKeys: ['affected'] },
  );
}

function editOf(base: Ecosystem) {
  const what = fc.constantFrom('put', 'put', 'withdraw', 'remove');
  return fc.record({ id: fc.constantFrom(...IDS), what, record: recordOf(base) });
}
type Edit = ReturnType<typeof editOf> extends fc.Arbitrary<infer Value> ? Value : never;

function edited(state: State, edits: readonly Edit[], day: number): State {
  const next = new Map(state);
  const modified = new Date(START + day * DAY).toISOString().replace('.000Z', '.123456Z');
  for (const { id, what, record } of edits) {
    const withdrawn = what === 'withdraw' ? { withdrawn: modified } : {};
    if (what === 'remove') next.delete(id);
    else next.set(id, { modified, json: JSON.stringify({ id, modified, ...record, ...withdrawn }) });
  }
  // A list that names nothing is not believed.
  const last = { modified, json: JSON.stringify({ id: 'CVE-2026-0', modified, affected: [] }) };
  return next.size === 0 ? new Map([['CVE-2026-0', last]]) : next;
}

/** The bucket as it is after `state`; its bulk file may be older than its list, and holds its records in any order. */
function serve(base: Ecosystem, state: State, bulk: State, shuffled: boolean): void {
  const entries = [...bulk].map(([id, { json }]) => [`${id}.json`, json] as const);
  const rows = [...state].sort(([, a], [, b]) => (a.modified < b.modified ? 1 : -1));
  files = new Map([
    [`/${base}/all.zip`, zipOf(new Map(shuffled ? entries.reverse() : entries))],
    [`/${base}/modified_id.csv`, Buffer.from(rows.map(([id, { modified }]) => `${modified},${id}\n`).join(''))],
    ...[...state].map(([id, { json }]) => [`/${base}/${id}.json`, Buffer.from(json)] as const),
  ]);
}

async function fetchInto(to: string, base: Ecosystem, day: number): Promise<string> {
  const now = START + day * DAY;
  const mirrors = new Map([['osv', [bucket.url]]]);
  const reports = await fetchFeeds({ http, to, sources: [`osv:${base}`], mirrors, now });
  expect(reports).toMatchObject([{ ok: true }]);
  await stateFetched(to, reports, now);
  return reports[0]?.ok ? reports[0].detail : '';
}

function newFolder(): string {
  folders += 1;
  return join(scratch, String(folders));
}

function build(from: string, day: number): Promise<BuildReport> {
  return buildAdvisoryDatabase({ from, out: join(scratch, `${folders}.sqlite`), clock: fixedClock(START + day * DAY) });
}

/** Every row of a built file but those about the build, in the order of the keys. */
function contentOf(path: string): Readonly<Record<string, readonly unknown[]>> {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const tables = TABLES.filter((table) => table !== 'meta');
    return Object.fromEntries(tables.map((name) => [name, db.prepare(`select * from ${name} order by 1, 2`).all()]));
  } finally {
    db.close();
  }
}

function scenarioOf(base: Ecosystem) {
  return fc.record({
    base: fc.constant(base),
    first: fc.array(editOf(base), { minLength: 1, maxLength: 12 }),
    rounds: fc.array(fc.array(editOf(base), { maxLength: 6 }), { minLength: 1, maxLength: 3 }),
    late: fc.boolean(),
    shuffled: fc.boolean(),
  });
}

it('builds out of a bulk file and the changes since what it builds out of a new bulk file, to the last row', async () => {
  const ways = new Set<string>();
  let statements = 0;
  await fc.assert(
    fc.asyncProperty(fc.oneof(scenarioOf('npm'), scenarioOf('Debian')), async (scenario) => {
      const { base, first, rounds, late, shuffled } = scenario;
      const begin = edited(new Map(), first, 0);
      let state = begin;
      serve(base, state, state, false);
      const updated = newFolder();
      await fetchInto(updated, base, 1);
      await build(updated, 1);
      for (const [n, edits] of rounds.entries()) {
        state = edited(state, edits, n + 2);
        serve(base, state, late ? begin : state, shuffled);
        ways.add((await fetchInto(updated, base, n + 3)).replace(/\d+/g, 'n'));
      }
      const byChanges = await build(updated, 20);
      serve(base, state, state, shuffled);
      const fresh = newFolder();
      await fetchInto(fresh, base, 20);
      const byBulk = await build(fresh, 20);
      expect(contentOf(byChanges.path)).toEqual(contentOf(byBulk.path));
      expect(byChanges.version).toBe(byBulk.version);
      expect([byChanges.records, byChanges.statements]).toEqual([byBulk.records, byBulk.statements]);
      verifyAdvisoryDatabase(byChanges.path);
      statements += byBulk.statements;
      for (const path of [updated, fresh, byChanges.path, byBulk.path]) rmSync(path, { recursive: true });
    }),
    { numRuns: 60 },
  );
  // Else the law would hold for nothing.
  expect([...ways].sort()).toEqual(['n changed, n removed', 'unchanged']);
  expect(statements, 'about 130 in most runs').toBeGreaterThan(20);
});
