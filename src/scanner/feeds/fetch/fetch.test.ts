import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createHttpClient } from '../../../platform/http-client.ts';
import type { FeedRecord } from '../advisory.ts';
import { discoverFeeds } from '../discover.ts';
import { readFeed } from '../index.ts';
import { startBucket, zipOf } from './bucket.testing.ts';
import { fetchFeeds } from './index.ts';
import { parseMirrors } from './mirrors.ts';

const feeds = join(import.meta.dirname, '../../advisories/testdata/feeds');
const scratch = mkdtempSync(join(tmpdir(), 'breakwater-fetch-'));
const http = createHttpClient({ userAgent: 'test', attempts: 1 });
let files = new Map<string, Buffer>();
let bucket: Awaited<ReturnType<typeof startBucket>>;
let folders = 0;

beforeAll(async () => {
  bucket = await startBucket((path) => files.get(path));
});
afterEach(() => {
  bucket.troubles.clear();
  bucket.requests.length = 0;
});
afterAll(async () => {
  await Promise.all([http.close(), bucket.close()]);
  rmSync(scratch, { recursive: true, force: true });
});

function newFolder(): string {
  folders += 1;
  return join(scratch, String(folders));
}

function fetchInto(to: string, sources: readonly string[], urls: readonly string[] = [bucket.url]) {
  const kinds = [...new Set(sources.map((source) => source.split(':', 1)[0] ?? ''))];
  const mirrors = new Map(kinds.map((kind) => [kind, urls]));
  return fetchFeeds({ http, to, sources, mirrors, now: Date.parse('2026-11-25T00:00:00Z') });
}

async function readAll(folder: string): Promise<readonly FeedRecord[]> {
  const records: FeedRecord[] = [];
  for (const file of await discoverFeeds(folder)) for await (const record of readFeed(file)) records.push(record);
  return records.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

interface Entry {
  readonly modified: string;
  readonly fixed: string;
  readonly withdrawn?: boolean;
}
type State = ReadonlyMap<string, Entry>;

function recordOf(id: string, { modified, fixed, withdrawn }: Entry): string {
  const ranges = [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed }] }];
  const affected = [{ package: { ecosystem: 'npm', name: `p-${id}` }, ranges }];
  return JSON.stringify({ id, modified, affected, ...(withdrawn ? { withdrawn: modified } : {}) });
}

/** The bucket as it is after `state`; its bulk file may be older than its list. */
function serve(state: State, bulk: State = state): void {
  const rows = [...state].sort(([, a], [, b]) => (a.modified < b.modified ? 1 : -1));
  files = new Map([
    ['/npm/all.zip', zipOf(new Map([...bulk].map(([id, entry]) => [`${id}.json`, recordOf(id, entry)])))],
    ['/npm/modified_id.csv', Buffer.from(rows.map(([id, { modified }]) => `${modified},${id}\n`).join(''))],
    ...[...state].map(([id, entry]) => [`/npm/${id}.json`, Buffer.from(recordOf(id, entry))] as const),
  ]);
}

function stateOf(count: number, minute = 0): Map<string, Entry> {
  const modified = `2026-01-01T00:${String(minute).padStart(2, '0')}:00Z`;
  return new Map(Array.from({ length: count }, (_, n) => [`X-${n}`, { modified, fixed: `1.${n}.0` }]));
}

describe('fetching OSV', () => {
  it('gives by changes what a new bulk file would give', () => {
    const edit = fc.record({
      id: fc.nat(12).map((n) => `X-${n}`),
      what: fc.constantFrom('put', 'remove', 'withdraw'),
      fixed: fc.nat(5).map((n) => `2.${n}.0`),
    });
    const rounds = fc.array(fc.array(edit, { maxLength: 5 }), { minLength: 1, maxLength: 3 });
    return fc.assert(
      fc.asyncProperty(rounds, fc.boolean(), async (edits, late) => {
        let state = stateOf(6);
        const first = state;
        serve(state);
        const to = newFolder();
        await fetchInto(to, ['osv:npm']);
        for (const [n, round] of edits.entries()) {
          state = new Map(state);
          const modified = `2026-02-0${n + 1}T00:00:00.123456Z`;
          for (const { id, what, fixed } of round) {
            if (what !== 'remove') state.set(id, { modified, fixed, withdrawn: what === 'withdraw' });
            else if (state.size > 1) state.delete(id);
          }
          serve(state, late ? first : state);
          expect(await fetchInto(to, ['osv:npm'])).toMatchObject([{ ok: true }]);
        }
        serve(state);
        const fresh = newFolder();
        await fetchInto(fresh, ['osv:npm']);
        expect(await readAll(to)).toEqual(await readAll(fresh));
        expect(readdirSync(join(to, 'osv/npm')).filter((name) => name.endsWith('.part'))).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  it('fetches one by one what changed, nothing when nothing did, and the bulk file when much did', async () => {
    const to = newFolder();
    serve(stateOf(300));
    expect(await fetchInto(to, ['osv:npm'])).toMatchObject([{ detail: 'fetched whole' }]);
    bucket.requests.length = 0;
    expect(await fetchInto(to, ['osv:npm'])).toMatchObject([{ detail: 'unchanged', changed: false, bytes: 0 }]);
    expect(bucket.requests).toEqual([{ path: '/npm/modified_id.csv', status: 304 }]);
    const few = new Map([...stateOf(300), ...stateOf(3, 5)]);
    few.delete('X-200');
    serve(few);
    expect(await fetchInto(to, ['osv:npm'])).toMatchObject([{ detail: '3 changed, 1 removed', changed: true }]);
    expect(bucket.requests.filter(({ path }) => path === '/npm/all.zip')).toEqual([]);
    serve(stateOf(300, 7));
    expect(await fetchInto(to, ['osv:npm'])).toMatchObject([{ detail: 'fetched whole' }]);
    expect(await readAll(to)).toHaveLength(300);
  });

  it.each([
    ['a record cannot be had', '/npm/X-1.json', 'error', /answered 500/],
    ['a record breaks off', '/npm/X-1.json', 'truncated', /./],
    ['the list cannot be had', '/npm/modified_id.csv', 'error', /modified_id.csv answered 500/],
  ] as const)('keeps the records as they were when %s', async (_, path, trouble, message) => {
    const to = newFolder();
    serve(stateOf(6));
    await fetchInto(to, ['osv:npm']);
    const before = await readAll(to);
    serve(new Map([...stateOf(6), ...stateOf(3, 5)]));
    bucket.troubles.set(path, trouble);
    expect(await fetchInto(to, ['osv:npm'])).toMatchObject([{ ok: false, error: expect.stringMatching(message) }]);
    expect(await readAll(to)).toEqual(before);
    bucket.troubles.clear();
    expect(await fetchInto(to, ['osv:npm'])).toMatchObject([{ detail: '3 changed, 0 removed' }]);
  });

  it('believes no empty list and no record that is none', async () => {
    const to = newFolder();
    serve(stateOf(6));
    await fetchInto(to, ['osv:npm']);
    files.set('/npm/modified_id.csv', Buffer.from('<html>'));
    expect(await fetchInto(to, ['osv:npm'])).toMatchObject([
      { ok: false, error: expect.stringMatching(/names no record/) },
    ]);
    serve(new Map([...stateOf(6), ...stateOf(1, 5)]));
    files.set('/npm/X-0.json', Buffer.from('<html>'));
    expect(await fetchInto(to, ['osv:npm'])).toMatchObject([
      { ok: false, error: expect.stringMatching(/is no OSV record/) },
    ]);
    expect(await readAll(to)).toHaveLength(6);
  });

  it('makes damaged notes of changes anew', async () => {
    const to = newFolder();
    serve(stateOf(6));
    await fetchInto(to, ['osv:npm']);
    writeFileSync(join(to, 'osv/npm/changes.sqlite'), 'x'.repeat(5000));
    serve(new Map([...stateOf(6), ...stateOf(3, 5)]));
    expect(await readAll(to)).toHaveLength(6);
    expect(await fetchInto(to, ['osv:npm'])).toMatchObject([{ detail: '3 changed, 0 removed' }]);
  });
});

describe('fetching files', () => {
  const kev = readFileSync(join(feeds, 'kev.json'));
  const place = 'kev/known_exploited_vulnerabilities.json';

  it('asks for what is newer only, and goes on where a transfer broke off', async () => {
    const to = newFolder();
    // Large enough for some of it to arrive before the end.
    const large = Buffer.concat([kev, Buffer.alloc(8_000_000, ' ')]);
    files = new Map([['/kev', large]]);
    const urls = [`${bucket.url}/kev`];
    bucket.troubles.set('/kev', 'truncated');
    expect(await fetchInto(to, ['cisa-kev'], urls)).toMatchObject([{ ok: false }]);
    expect(existsSync(join(to, place))).toBe(false);
    bucket.troubles.clear();
    expect(await fetchInto(to, ['cisa-kev'], urls)).toMatchObject([{ ok: true, changed: true }]);
    expect(readFileSync(join(to, place)).equals(large)).toBe(true);
    expect(await fetchInto(to, ['cisa-kev'], urls)).toMatchObject([{ ok: true, changed: false, bytes: 0 }]);
    expect(bucket.requests.map(({ status }) => status)).toEqual([200, 206, 304]);
  });

  it.each(['error', 'truncated', 'longer'] as const)('keeps the old file after a reply with %s', async (trouble) => {
    const to = newFolder();
    files = new Map([['/kev', kev]]);
    const urls = [`${bucket.url}/kev`];
    await fetchInto(to, ['cisa-kev'], urls);
    files = new Map([['/kev', Buffer.from(kev.toString().replace('2025', '2026'))]]);
    bucket.troubles.set('/kev', trouble);
    expect(await fetchInto(to, ['cisa-kev'], urls)).toMatchObject([{ ok: false }]);
    expect(readFileSync(join(to, place))).toEqual(kev);
  });

  it('takes the next address when one fails, and names all when none works', async () => {
    const to = newFolder();
    files = new Map([['/good', kev]]);
    const urls = [`${bucket.url}/bad`, `${bucket.url}/good`];
    expect(await fetchInto(to, ['cisa-kev'], urls)).toMatchObject([{ ok: true, changed: true }]);
    files.clear();
    expect(await fetchInto(to, ['cisa-kev'], urls)).toMatchObject([
      { ok: false, error: expect.stringMatching(/bad answered 404; .*good answered 404/) },
    ]);
  });

  it('refuses what is something else, and goes on with other sources', async () => {
    const to = newFolder();
    const secdb = readFileSync(join(feeds, 'secdb/v3.20/main.json'));
    files = new Map([
      ['/', Buffer.from('<html>Sign in</html>')],
      ['/v3.20/main.json', secdb],
    ]);
    expect(await fetchInto(to, ['cisa-kev', 'alpine-secdb:v3.20'], [`${bucket.url}/`])).toMatchObject([
      { ok: false, error: expect.stringMatching(/something else/) },
      { ok: true, changed: true },
    ]);
    expect((await discoverFeeds(to)).map(({ kind }) => kind)).toEqual(['secdb']);
  });

  it('knows packed files by what is in them', async () => {
    const to = newFolder();
    files = new Map([['/epss', gzipSync('cve,epss,percentile\nCVE-2024-1111,0.5,0.5\n')]]);
    expect(await fetchInto(to, ['epss'], [`${bucket.url}/epss`])).toMatchObject([{ ok: true }]);
    expect(await readAll(to)).toMatchObject([{ facts: [{ kind: 'epss', id: 'CVE-2024-1111' }] }]);
  });

  it.each(['nothing', 'osv', 'osv:../../etc', 'kev:x', 'epss:y', 'alpine-secdb:v3/../x'])(
    'knows no source %j',
    (source) => expect(fetchInto(newFolder(), [source])).rejects.toThrow(/there is no source/),
  );

  it.each(['osv', 'osv=', 'osv=ftp://x', '=https://x', 'osv=https://u:p@x'])('takes no mirror %j', (text) =>
    expect(() => parseMirrors([text])).toThrow(/is not like/),
  );
});

describe('fetching CSAF documents', () => {
  it('puts what changed since over the archive, and removes what was deleted', async () => {
    const to = newFolder();
    const names = ['CVE-2026-0001', 'CVE-2026-0002', 'CVE-2026-0003'];
    files = new Map([
      ['/archive_latest.txt', Buffer.from('csaf_vex_2026-11-20.tar.zst\n')],
      [
        '/csaf_vex_2026-11-20.tar.zst',
        tarOf(names.map((name) => [`2026/${name.toLowerCase()}.json`, documentOf(name)])),
      ],
      [
        '/changes.csv',
        Buffer.from(
          '"2026/cve-2026-0002.json","2026-11-21T10:00:00+00:00"\n"2020/cve-2020-1.json","2020-01-01T00:00:00Z"\n',
        ),
      ],
      ['/deletions.csv', Buffer.from('"2026/cve-2026-0003.json","2026-11-22T10:00:00+00:00"\n')],
      ['/2026/cve-2026-0002.json', Buffer.from(documentOf('CVE-2026-0002', 'known_not_affected'))],
    ]);
    expect(await fetchInto(to, ['redhat-csaf'])).toMatchObject([{ ok: true, detail: 'fetched whole' }]);
    const said = (await readAll(to)).flatMap(({ facts }) =>
      facts.flatMap((fact) =>
        fact.kind === 'statement' ? [[fact.statement.advisory, fact.statement.never ?? false]] : [],
      ),
    );
    expect(said).toEqual([
      ['CVE-2026-0001', false],
      ['CVE-2026-0002', true],
    ]);
    bucket.requests.length = 0;
    expect(await fetchInto(to, ['redhat-csaf'])).toMatchObject([{ ok: true, changed: false, detail: 'unchanged' }]);
    expect(bucket.requests.map(({ path }) => path).sort()).toEqual([
      '/archive_latest.txt',
      '/changes.csv',
      '/deletions.csv',
    ]);
    files.set(
      '/changes.csv',
      Buffer.from(
        '"2026/cve-2026-0001.json","2026-11-23T10:00:00+00:00"\n"../../x.json","2026-11-23T10:00:00+00:00"\n',
      ),
    );
    files.set('/2026/cve-2026-0001.json', Buffer.from('<html>'));
    expect(await fetchInto(to, ['redhat-csaf'])).toMatchObject([{ ok: false }]);
    expect((await readAll(to)).flatMap(({ facts }) => facts)).toHaveLength(2);
  });
});

function documentOf(cve: string, claim = 'known_affected'): string {
  return JSON.stringify({
    document: {
      category: 'csaf_vex',
      csaf_version: '2.0',
      tracking: { id: cve, current_release_date: '2026-11-01T00:00:00Z' },
    },
    product_tree: {
      branches: [
        {
          product: { product_id: 'rhel', product_identification_helper: { cpe: 'cpe:/o:redhat:enterprise_linux:9' } },
        },
        { product: { product_id: 'p', product_identification_helper: { purl: 'pkg:rpm/redhat/p' } } },
      ],
      relationships: [
        { full_product_name: { product_id: 'rhel:p' }, product_reference: 'p', relates_to_product_reference: 'rhel' },
      ],
    },
    vulnerabilities: [{ cve, product_status: { [claim]: ['rhel:p'] } }],
  });
}

function tarOf(entries: readonly (readonly [string, string])[]): Buffer {
  const blocks = entries.flatMap(([name, text]) => {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write('0000644\0', 100);
    header.write(`${Buffer.byteLength(text).toString(8).padStart(11, '0')}\0`, 124);
    header.write('        ', 148);
    header.write('0ustar\x0000', 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    const content = Buffer.alloc(Math.ceil(Buffer.byteLength(text) / 512) * 512);
    content.write(text);
    return [header, content];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}
