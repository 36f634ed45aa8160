import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import type { FeedReader, FeedRecord } from './advisory.ts';
import { discoverFeeds } from './discover.ts';
import { readEpss } from './epss/read.ts';
import { FeedError } from './errors.ts';
import { readKev } from './kev/read.ts';
import { parseNvdItem, readNvd } from './nvd/read.ts';
import { readSecdb } from './secdb/read.ts';

const feeds = join(import.meta.dirname, '../advisories/testdata/feeds');
const folder = mkdtempSync(join(tmpdir(), 'breakwater-feeds-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function readAll(reader: FeedReader): Promise<readonly FeedRecord[]> {
  const records: FeedRecord[] = [];
  for await (const record of reader) records.push(record);
  return records;
}

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function metric(source: string, score: number): object {
  return { source, cvssData: { vectorString: 'V', baseScore: score } };
}

describe('EPSS', () => {
  it.each([
    ['epss_scores-2021-04-14.csv.gz', 0, '2021-04-14T00:00:00Z'],
    ['epss_scores-2021-09-01.csv.gz', 0.9981063485700858, '2021-09-01T00:00:00Z'],
    ['epss_scores-2022-02-04.csv.gz', 0.99999, '2022-02-04T00:00:00+0000'],
    ['epss_scores-2023-03-07.csv.gz', 0.99995, '2023-03-07T00:00:00+0000'],
  ])('reads the header form of %s', async (name, percentile, modified) => {
    const records = await readAll(readEpss(join(feeds, 'epss', name)));
    expect(records).toHaveLength(2);
    expect(records[0]).toMatchObject({ modified, facts: [{ kind: 'epss', id: 'CVE-2020-5902', percentile }] });
  });

  it('counts bad rows and goes on', async () => {
    const path = file('bad.csv', 'cve,epss,percentile\r\nCVE-2020-1111,1.5,0\r\nhello\r\nCVE-2020-2222,0.5,0.25\r\n');
    const facts = (await readAll(readEpss(path))).flatMap((record) => record.facts);
    expect(facts.map(({ kind }) => kind)).toEqual(['problem', 'problem', 'epss']);
  });

  it.each([
    ['other columns', 'cve,score\nCVE-2020-1111,1\n'],
    ['an endless line', `cve,epss\n${'x'.repeat(200_000)}`],
  ])('refuses %s', (_, text) => expect(readAll(readEpss(file('odd.csv', text)))).rejects.toThrow(FeedError));
});

describe('NVD', () => {
  it('keeps one statement per scorer and says who it is', async () => {
    const facts = (await readAll(readNvd(join(feeds, 'nvd/feed.json.gz')))).flatMap((record) => record.facts);
    const openssl = facts.find((fact) => fact.kind === 'vulnerability' && fact.id === 'CVE-2025-15467');
    expect(openssl).toMatchObject({
      severities: expect.arrayContaining([expect.objectContaining({ severity: expect.any(String) })]),
    });
    const sources = openssl?.kind === 'vulnerability' ? openssl.severities.map(({ source }) => source) : [];
    expect(new Set(sources).size).toBe(sources.length);
    expect(facts.filter(({ kind }) => kind === 'problem')).toHaveLength(2);
  });

  it('prefers the newest CVSS version of a scorer and tells assigners from others', () => {
    const cve = {
      id: 'CVE-2020-1111',
      sourceIdentifier: 'cna@example.org',
      published: '2020-01-01T00:00:00.000',
      metrics: {
        cvssMetricV2: [metric('nvd@nist.gov', 10)],
        cvssMetricV31: [metric('nvd@nist.gov', 5), metric('cna@example.org', 9.1), metric('other@example.net', 1)],
        cvssMetricV30: [metric('134c704f-9b21-4f2e-91b3-4a467353bcc0', 7)],
      },
    };
    expect(parseNvdItem({ cve }).facts).toEqual([
      {
        kind: 'vulnerability',
        id: 'CVE-2020-1111',
        published: '2020-01-01T00:00:00.000Z',
        rejected: false,
        severities: [
          { source: 'adp:example.net', severity: 'low', score: 1, vector: 'V' },
          { source: 'cisa-adp', severity: 'high', score: 7, vector: 'V' },
          { source: 'cna:example.org', severity: 'critical', score: 9.1, vector: 'V' },
          { source: 'nvd', severity: 'medium', score: 5, vector: 'V' },
        ],
      },
    ]);
  });

  it('marks rejected CVEs', () =>
    expect(parseNvdItem({ cve: { id: 'CVE-2020-1111', vulnStatus: 'Rejected' } }).facts).toMatchObject([
      { rejected: true },
    ]));

  it.each([
    ['cut short', '{"format":"NVD_CVE","vulnerabilities":[{"cve":{"id":"CVE-2020-1111"'],
    ['not JSON', '{"format":"NVD_CVE","vulnerabilities":[}'],
    ['damaged gzip', gzipSync('{"vulnerabilities":[]}').subarray(0, 15)],
  ])('refuses a feed that is %s', (kind, content) =>
    expect(readAll(readNvd(file(kind === 'damaged gzip' ? 'x.json.gz' : 'x.json', content)))).rejects.toThrow(
      FeedError,
    ),
  );
});

describe('KEV', () => {
  it('reads the day of every entry', async () => {
    const records = await readAll(readKev(join(feeds, 'kev.json')));
    expect(records[0]).toMatchObject({ facts: [{ kind: 'kev', id: 'CVE-2025-48384', added: '2025-08-25' }] });
    expect(records.at(-1)?.facts).toMatchObject([{ kind: 'problem' }]);
  });

  it.each(['', '{}', '[1]', '{"dateReleased":"x","vulnerabilities":{}}'])('refuses %j', (text) =>
    expect(readAll(readKev(file('kev.json', text)))).rejects.toThrow(FeedError),
  );
});

describe('Alpine secdb files', () => {
  it('counts fixes for the branch', async () => {
    const records = await readAll(readSecdb(join(feeds, 'secdb/v3.20/main.json')));
    expect(records.at(0)).toMatchObject({ feed: 'alpine-secdb', ecosystems: ['Alpine:v3.20'] });
    expect(records.at(-1)?.facts).toMatchObject([{ problem: 'malformed-record' }]);
  });

  it.each(['', '{}', '{"distroversion":"../../etc","reponame":"main","packages":[]}'])('refuses %j', (text) =>
    expect(readAll(readSecdb(file('main.json', text)))).rejects.toThrow(FeedError),
  );
});

describe('finding feeds in a folder', () => {
  it('tells them apart by layout and content', async () => {
    const kinds = (await discoverFeeds(feeds)).map(({ kind, ecosystem }) => ecosystem ?? kind);
    expect(kinds.sort()).toEqual([
      'Alpine',
      'Debian',
      'Red Hat',
      'Ubuntu',
      'epss',
      'epss',
      'epss',
      'epss',
      'kev',
      'npm',
      'nvd',
      'secdb',
    ]);
  });

  it('says what it expected when there is none', async () => {
    await expect(discoverFeeds(join(import.meta.dirname, 'kev'))).rejects.toThrow(
      /holds no advisory feed: expected <Ecosystem>\/all.zip/,
    );
    await expect(discoverFeeds(join(folder, 'absent'))).rejects.toThrow(/cannot read folder/);
  });
});
