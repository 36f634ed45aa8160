import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { FeedRecord, PublishedStatement } from '../advisory.ts';
import { FeedError } from '../errors.ts';
import { normalizeTrackerPackage } from './normalize.ts';
import { readDebianTracker } from './read.ts';

const folder = mkdtempSync(join(tmpdir(), 'breakwater-tracker-'));
afterAll(() => rmSync(folder, { recursive: true }));

function statement(release: object): PublishedStatement | undefined {
  const { facts } = normalizeTrackerPackage('p', { 'CVE-2024-1111': { releases: { bookworm: release } } });
  const [fact] = facts;
  return fact?.kind === 'statement' ? fact.statement : undefined;
}

async function readAll(path: string): Promise<readonly FeedRecord[]> {
  const records: FeedRecord[] = [];
  for await (const record of readDebianTracker(path)) records.push(record);
  return records;
}

function sample(n: number): string {
  return join(import.meta.dirname, `testdata/tracker-data-sample-${n}.json`);
}

describe('the Debian security tracker', () => {
  it.each([
    [{ status: 'resolved', fixed_version: '1.2-3' }, { ranges: [{ fixed: '1.2-3' }] }],
    [
      { status: 'resolved', fixed_version: '0' },
      { ranges: [], never: true },
    ],
    [{ status: 'open' }, { ranges: [{}] }],
    [{ status: 'open', nodsa: 'Minor issue', nodsa_reason: '' }, { ranges: [{}] }],
    [
      { status: 'open', nodsa: 'x', nodsa_reason: 'ignored' },
      { ranges: [{}], status: 'will_not_fix' },
    ],
    [
      { status: 'open', nodsa: 'x', nodsa_reason: 'postponed' },
      { ranges: [{}], status: 'fix_deferred' },
    ],
    [
      { status: 'open', urgency: 'end-of-life' },
      { ranges: [{}], status: 'end_of_life' },
    ],
    [{ status: 'undetermined' }, { ranges: [{}], status: 'under_investigation' }],
    [
      { status: 'open', urgency: 'unimportant' },
      { severities: [{ source: 'distribution:debian', severity: 'negligible' }] },
    ],
    [{ status: 'open', urgency: 'high**' }, { severities: [{ source: 'distribution:debian', severity: 'high' }] }],
    [{ status: 'open', urgency: 'not yet assigned' }, { severities: [] }],
  ])('%j is %j', (release, expected) => expect(statement(release)).toMatchObject(expected));

  it.each([[{ status: 'resolved' }], [{ status: 'resolved', fixed_version: 'soon!' }]])(
    'counts %j as unusable',
    (release) =>
      expect(
        normalizeTrackerPackage('p', { 'CVE-2024-1111': { releases: { bookworm: release } } }).facts,
      ).toMatchObject([{ kind: 'problem', problem: 'invalid-version' }]),
  );

  it('names releases by number, passes over sid and counts unknown ones', () => {
    const releases = Object.fromEntries(
      ['trixie', 'sid', 'bullseye', 'vapour'].map((name) => [name, { status: 'open' }]),
    );
    const record = normalizeTrackerPackage('p', { 'CVE-2024-1111': { releases } });
    expect(record.ecosystems).toEqual(['Debian:13', 'Debian:11']);
    expect(record.facts).toContainEqual(expect.objectContaining({ problem: 'unknown-release', detail: 'vapour' }));
  });

  it('reads real exports', async () => {
    const facts = [...(await readAll(sample(1))), ...(await readAll(sample(2)))].flatMap((record) => record.facts);
    expect(facts.filter(({ kind }) => kind === 'problem')).toEqual([]);
    const said = facts.flatMap((fact) =>
      fact.kind === 'statement' && fact.ecosystem === 'Debian:11' ? [[fact.name, fact.statement] as const] : [],
    );
    expect(said).toContainEqual(['389-ds-base', expect.objectContaining({ status: 'will_not_fix', ranges: [{}] })]);
    expect(said).toContainEqual(['wordpress', expect.objectContaining({ never: true })]);
  });

  it.each(['', '[', '{"a":', '[1]'])('refuses %j', (text) => {
    const path = join(folder, 'data.json');
    writeFileSync(path, text);
    return expect(readAll(path)).rejects.toThrow(FeedError);
  });

  it('survives damage anywhere with an error or with what is left', () => {
    const bytes = readFileSync(join(import.meta.dirname, 'testdata/tracker-data-sample-1.json'));
    const path = join(folder, 'damaged.json');
    return fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.string({ maxLength: 5 }), async (at, text) => {
        writeFileSync(path, Buffer.concat([bytes.subarray(0, at), Buffer.from(text), bytes.subarray(at + 1)]));
        await readAll(path).catch((error: unknown) => expect(error).toBeInstanceOf(FeedError));
      }),
      { numRuns: 60 },
    );
  });

  it('takes anything for a package', () =>
    fc.assert(
      fc.property(fc.anything(), fc.json(), (issues, json) => {
        normalizeTrackerPackage('p', issues);
        normalizeTrackerPackage('p', { 'CVE-2024-1111': { releases: JSON.parse(json) as unknown } });
      }),
    ));
});
