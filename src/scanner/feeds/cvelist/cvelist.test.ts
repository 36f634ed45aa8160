import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { FeedRecord } from '../advisory.ts';
import { discoverFeeds } from '../discover.ts';
import { FeedError } from '../errors.ts';
import { zipOf } from '../fetch/bucket.testing.ts';
import { parseCveRecord, readCveList } from './read.ts';

const real = readFileSync(join(import.meta.dirname, 'testdata/CVE-2026-63072.json'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'breakwater-cvelist-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function readAll(path: string): Promise<readonly FeedRecord[]> {
  const records: FeedRecord[] = [];
  for await (const record of readCveList(path)) records.push(record);
  return records;
}

function record(containers: object, state = 'PUBLISHED'): object {
  return { cveMetadata: { cveId: 'CVE-2024-1111', state, assignerShortName: 'Acme' }, containers };
}

const v31 = { cvssV3_1: { baseScore: 7.5, baseSeverity: 'HIGH', vectorString: 'CVSS:3.1/x' } };
const v4 = { cvssV4_0: { baseScore: 9.1, vectorString: 'CVSS:4.0/x' } };

describe('records of the CVE list', () => {
  it.each([
    [{ cna: { metrics: [v31, v4] } }, [{ source: 'cna:acme', severity: 'critical', score: 9.1, vector: 'CVSS:4.0/x' }]],
    [
      {
        cna: {
          providerMetadata: { shortName: 'Other' },
          metrics: [{ format: 'other', other: { content: { text: 'Moderate' } } }],
        },
      },
      [{ source: 'cna:other', severity: 'medium' }],
    ],
    [
      {
        cna: {},
        adp: [
          { providerMetadata: { shortName: 'CISA-ADP' }, metrics: [v31] },
          { providerMetadata: { shortName: 'X' }, metrics: [v31] },
        ],
      },
      [
        { source: 'adp:x', severity: 'high', score: 7.5, vector: 'CVSS:3.1/x' },
        { source: 'cisa-adp', severity: 'high', score: 7.5, vector: 'CVSS:3.1/x' },
      ],
    ],
    [{}, []],
  ])('%j', (containers, severities) =>
    expect(parseCveRecord(JSON.stringify(record(containers)), 'x').facts).toMatchObject([
      { id: 'CVE-2024-1111', rejected: false, severities },
    ]),
  );

  it('marks rejected ones and forgets their severities', () =>
    expect(parseCveRecord(JSON.stringify(record({ cna: { metrics: [v31] } }, 'REJECTED')), 'x').facts).toMatchObject([
      { rejected: true, severities: [] },
    ]));

  it('reads a real one', () =>
    expect(parseCveRecord(real, 'x').facts).toMatchObject([{ kind: 'vulnerability', id: 'CVE-2026-63072' }]));

  it.each(['', '{', 'null', '[]', '{"cveMetadata":{"cveId":"x"}}', '['.repeat(50_000)])(
    'counts %.20s as malformed',
    (json) => expect(parseCveRecord(json, 'n').facts).toMatchObject([{ kind: 'problem', problem: 'malformed-record' }]),
  );

  it('takes damaged records without throwing', () =>
    fc.assert(
      fc.property(fc.nat(real.length), fc.string({ maxLength: 4 }), fc.json(), (at, text, json) => {
        parseCveRecord(real.slice(0, at) + text + real.slice(at + 2), 'n');
        parseCveRecord(JSON.stringify(record({ cna: JSON.parse(json) as unknown })), 'n');
      }),
      { numRuns: 500 },
    ));
});

describe('the CVE list', () => {
  const files = new Map([
    ['list/cves/2026/63xxx/CVE-2026-63072.json', real],
    ['list/cves/2026/63xxx/CVE-2026-63073.json', '{'],
    ['list/cves/delta.json', '{}'],
  ]);

  it('is read from a folder, an archive, and an archive in an archive', async () => {
    const cves = join(folder, 'list/cves');
    for (const [path, text] of files) {
      mkdirSync(join(folder, path, '..'), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const plain = join(folder, 'cves.zip');
    writeFileSync(plain, zipOf(files));
    const nested = join(folder, 'all_CVEs.zip');
    writeFileSync(nested, zipOf(new Map([['cves.zip', zipOf(files)]])));
    expect(await discoverFeeds(folder)).toEqual([
      { kind: 'cvelist', path: nested },
      { kind: 'cvelist', path: plain },
      { kind: 'cvelist', path: cves },
    ]);
    for (const path of [cves, plain, nested]) {
      const facts = (await readAll(path)).flatMap((one) => one.facts);
      expect(facts.map(({ kind }) => kind)).toEqual(['vulnerability', 'problem']);
    }
    writeFileSync(nested, zipOf(new Map([['cves.zip', 'none']])));
    await expect(readAll(nested)).rejects.toThrow(FeedError);
  });

  it('refuses what is no archive', async () => {
    const path = join(folder, 'cvelist.zip');
    writeFileSync(path, 'x');
    await expect(readAll(path)).rejects.toThrow(FeedError);
    await expect(readAll(join(folder, 'absent'))).rejects.toThrow(FeedError);
  });
});
