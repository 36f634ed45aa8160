import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { FeedRecord, PublishedStatement } from '../advisory.ts';
import { FeedError } from '../errors.ts';
import { parseOsvRecord, readOsvZip } from './read.ts';

const npmZip = join(import.meta.dirname, '../../advisories/testdata/feeds/osv/npm/all.zip');
const folder = mkdtempSync(join(tmpdir(), 'breakwater-osv-'));
afterAll(() => rmSync(folder, { recursive: true }));

function statements(record: FeedRecord): readonly PublishedStatement[] {
  return record.facts.flatMap((fact) => (fact.kind === 'statement' ? [fact.statement] : []));
}

function parse(record: object, base: string): FeedRecord {
  return parseOsvRecord(JSON.stringify(record), base, 'record.json');
}

function affected(ecosystem: string, extra: object = {}): object {
  return {
    package: { ecosystem, name: 'p' },
    ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '2-1' }] }],
    ...extra,
  };
}

async function readAll(path: string): Promise<FeedRecord[]> {
  const records: FeedRecord[] = [];
  for await (const record of readOsvZip(path, 'npm')) records.push(record);
  return records;
}

describe('OSV records', () => {
  it('names one vulnerability by its aliases, the CVE first', () => {
    const record = {
      id: 'GHSA-aaaa-bbbb-cccc',
      aliases: ['SNYK-1', 'CVE-2020-1234'],
      affected: [affected('npm', { ranges: [], versions: ['1.0.0'] })],
    };
    expect(statements(parse(record, 'npm'))).toMatchObject([
      { vulnerabilities: [['CVE-2020-1234', 'GHSA-aaaa-bbbb-cccc', 'SNYK-1']], versions: ['1.0.0'], ranges: [] },
    ]);
  });

  it('speaks of every CVE a distribution advisory solves, without making them one', () => {
    const record = {
      id: 'DSA-1-1',
      upstream: ['CVE-2020-2222', 'CVE-2020-1111'],
      affected: [affected('Debian:11'), affected('Debian:12')],
    };
    const parsed = parse(record, 'Debian');
    expect(parsed.ecosystems).toEqual(['Debian:11', 'Debian:12']);
    expect(statements(parsed)[0]?.vulnerabilities).toEqual([['CVE-2020-2222'], ['CVE-2020-1111']]);
  });

  it('takes the CVE out of the id of a distribution record', () => {
    const record = {
      id: 'DEBIAN-CVE-2020-1111',
      upstream: ['CVE-2020-1111', 'CVE-2020-2222'],
      affected: [affected('Debian:12')],
    };
    expect(statements(parse(record, 'Debian'))[0]?.vulnerabilities).toEqual([
      ['CVE-2020-1111', 'DEBIAN-CVE-2020-1111'],
    ]);
  });

  it('takes related CVEs of errata only, and leaves out errata without security content', () => {
    const related = ['CVE-2020-1111', 'CVE-2020-2222'];
    const errata = parse({ id: 'ALSA-2020:1', related, affected: [affected('AlmaLinux:8')] }, 'AlmaLinux');
    expect(statements(errata)[0]?.vulnerabilities).toEqual([['CVE-2020-1111'], ['CVE-2020-2222']]);
    const other = parse({ id: 'GHSA-aaaa-bbbb-cccc', related, affected: [affected('PyPI')] }, 'PyPI');
    expect(statements(other)[0]?.vulnerabilities).toEqual([['GHSA-aaaa-bbbb-cccc']]);
    expect(statements(parse({ id: 'ALBA-2020:1', affected: [affected('AlmaLinux:8')] }, 'AlmaLinux'))).toEqual([]);
  });

  it('keeps only what concerns the ecosystem of the file', () => {
    const record = { id: 'X-1', affected: [affected('PyPI'), affected('npm', { ranges: [], versions: ['1.0.0'] })] };
    expect(parse(record, 'npm').ecosystems).toEqual(['npm']);
  });

  it('gives nothing for withdrawn records but counts them', () => {
    const record = { id: 'X-1', withdrawn: '2024-01-01T00:00:00Z', affected: [affected('Debian:12')] };
    expect(parse(record, 'Debian').facts).toMatchObject([{ kind: 'problem', problem: 'withdrawn', record: 'X-1' }]);
  });

  it('keeps listed versions only where no range covers them', () => {
    const record = { id: 'X-1', affected: [affected('Debian:12', { versions: ['1-1', '1-2', '7-1'] })] };
    expect(statements(parse(record, 'Debian'))[0]?.versions).toEqual(['7-1']);
  });

  it('files packages by the name they are looked up with', () => {
    const record = {
      id: 'X-1',
      affected: [{ ...affected('PyPI'), package: { ecosystem: 'PyPI', name: 'Zope.Interface' } }],
    };
    expect(parse(record, 'PyPI').facts).toMatchObject([{ name: 'zope-interface' }]);
  });

  it('speaks of each CVE of a security notice that names them by the names of its distribution', () => {
    const upstream = ['UBUNTU-CVE-2021-1111', 'UBUNTU-CVE-2021-2222'];
    const notice = parse({ id: 'USN-1-1', upstream, affected: [affected('Ubuntu:22.04:LTS')] }, 'Ubuntu');
    expect(statements(notice)[0]?.vulnerabilities).toEqual([['CVE-2021-1111'], ['CVE-2021-2222']]);
    const related = ['CVE-2021-1111', 'UBUNTU-CVE-2021-1111', 'UBUNTU-CVE-2021-2222'];
    const older = parse({ id: 'USN-1-1', related, affected: [affected('Ubuntu:22.04:LTS')] }, 'Ubuntu');
    expect(statements(older)[0]?.vulnerabilities).toEqual([['CVE-2021-1111'], ['CVE-2021-2222']]);
  });

  it.each([
    ['Ubuntu:Pro:18.04:LTS', {}, true],
    ['Ubuntu:22.04:LTS', { availability: 'No subscription required' }, undefined],
    ['Ubuntu:22.04:LTS', { availability: 'Livepatch subscription required' }, true],
    ['Ubuntu:20.04:LTS', { availability: 'Available with Ubuntu Pro: https://ubuntu.com/pro' }, true],
    ['Debian:12', { availability: 'Available with Ubuntu Pro' }, undefined],
  ])('says whether the fix of %s %j is sold apart', (ecosystem, specific, subscription) => {
    const record = { id: 'X-1', affected: [affected(ecosystem, { ecosystem_specific: specific })] };
    expect(statements(parse(record, ecosystem.split(':', 1)[0] ?? ''))[0]?.subscription).toBe(subscription);
  });

  it.each([
    [
      [{ binary_name: 'libb', binary_version: '1' }, { binary_name: 'a' }, { binary_name: 'a' }],
      ['a', 'libb'],
    ],
    [[{ libb: '1', a: '2' }], ['a', 'libb']],
    [[], undefined],
    ['libb', undefined],
    [[null, 1, 'x'], undefined],
  ])('reads the binaries %j', (binaries, names) => {
    const record = { id: 'X-1', affected: [affected('Ubuntu:22.04:LTS', { ecosystem_specific: { binaries } })] };
    expect(statements(parse(record, 'Ubuntu'))[0]?.binaries).toEqual(names);
  });

  it.each([
    ['pkg:rpm/rocky-linux/bcel?distro=rocky-linux-9-aarch64&epoch=0', ['aarch64', 'noarch']],
    ['pkg:rpm/rocky-linux/bcel?arch=x86_64', ['x86_64', 'noarch']],
    ['pkg:rpm/rocky-linux/bcel?distro=rocky-linux-8-sig-cloud', undefined],
    ['pkg:deb/ubuntu/bcel@1?arch=source&distro=jammy', undefined],
  ])('takes the architecture out of %s', (purl, arches) => {
    const record = {
      id: 'X-1',
      affected: [{ ...affected('Rocky Linux:9'), package: { ecosystem: 'Rocky Linux:9', name: 'p', purl } }],
    };
    expect(statements(parse(record, 'Rocky Linux'))[0]?.arches).toEqual(arches);
  });

  it('counts packages with ranges of commits only', () => {
    const git = { ranges: [{ type: 'GIT', events: [{ introduced: '0' }] }] };
    expect(parse({ id: 'X-1', affected: [affected('PyPI', git)] }, 'PyPI').facts).toMatchObject([
      { kind: 'problem', problem: 'commits-only' },
    ]);
  });

  it.each([
    [
      'a distribution urgency',
      'Debian',
      affected('Debian:12', { ecosystem_specific: { urgency: 'unimportant' } }),
      {},
      [{ source: 'distribution:debian', severity: 'negligible' }],
    ],
    [
      'an urgency not yet given',
      'Debian',
      affected('Debian:12', { ecosystem_specific: { urgency: 'not yet assigned' } }),
      {},
      [],
    ],
    [
      'an Ubuntu priority',
      'Ubuntu',
      affected('Ubuntu:24.04:LTS'),
      { severity: [{ type: 'Ubuntu', score: 'medium' }] },
      [{ source: 'distribution:ubuntu', severity: 'medium' }],
    ],
    [
      'the first word of an erratum',
      'AlmaLinux',
      affected('AlmaLinux:8'),
      { summary: 'Important: kernel update' },
      [{ source: 'distribution:almalinux', severity: 'high' }],
    ],
    [
      'a vector and a word',
      'PyPI',
      affected('PyPI'),
      {
        severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
        database_specific: { severity: 'MODERATE' },
      },
      [{ source: 'ghsa', severity: 'medium', score: 9.8, vector: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
    ],
    [
      'a v4 vector alone',
      'PyPI',
      affected('PyPI'),
      { severity: [{ type: 'CVSS_V4', score: 'CVSS:4.0/AV:N' }] },
      [{ source: 'ghsa', severity: 'unknown', vector: 'CVSS:4.0/AV:N' }],
    ],
  ])('reads %s', (_, base, entry, extra, severities) => {
    expect(
      statements(parse({ id: 'GHSA-x', related: ['CVE-2020-1111'], affected: [entry], ...extra }, base))[0]?.severities,
    ).toEqual(severities);
  });

  it('calls malicious packages critical', () => {
    const record = { id: 'MAL-2024-1', affected: [{ package: { ecosystem: 'npm', name: 'p' }, versions: ['1.0.0'] }] };
    expect(statements(parse(record, 'npm'))).toMatchObject([
      { malicious: true, severities: [{ source: 'malicious-packages', severity: 'critical' }] },
    ]);
  });

  it('says end of life where the distribution does', () => {
    const record = { id: 'X-1', affected: [affected('Debian:12', { ecosystem_specific: { urgency: 'end-of-life' } })] };
    expect(statements(parse(record, 'Debian'))[0]?.status).toBe('end_of_life');
  });

  it.each([
    '',
    '{',
    'null',
    '[]',
    '{"id":1}',
    '{"id":"x","affected":{}}',
    `{"id":"${'x'.repeat(300)}"}`,
    '['.repeat(50_000),
  ])('counts %.20s as malformed', (json) =>
    expect(parseOsvRecord(json, 'npm', 'n').facts).toMatchObject([{ kind: 'problem', problem: 'malformed-record' }]),
  );

  it('takes any JSON without throwing', () =>
    fc.assert(
      fc.property(fc.json(), fc.anything(), (json, thing) => {
        parseOsvRecord(json, 'npm', 'n');
        parseOsvRecord(
          JSON.stringify({ id: 'x', affected: [{ package: { ecosystem: 'npm', name: 'p' }, ranges: thing }] }) ?? '',
          'npm',
          'n',
        );
      }),
      { numRuns: 500 },
    ));
});

describe('OSV bulk files', () => {
  it('reads every record, odd names and broken ones included', async () => {
    const records = await readAll(npmZip);
    const ids = records.flatMap(statements).map(({ advisory }) => advisory);
    expect(ids).toContain('ODD:1 2');
    expect(ids).toContain('MAL-0000-1');
    expect(ids).not.toContain('GONE-1');
    const problems = records.flatMap(({ facts }) =>
      facts.flatMap((fact) => (fact.kind === 'problem' ? [fact.problem] : [])),
    );
    expect(problems.sort()).toEqual(['empty-range', 'malformed-record', 'malformed-record', 'withdrawn']);
  });

  it('refuses what is no zip archive', async () => {
    const path = join(folder, 'all.zip');
    writeFileSync(path, 'not a zip');
    await expect(readAll(path)).rejects.toThrow(FeedError);
    await expect(readAll(join(folder, 'absent.zip'))).rejects.toThrow(FeedError);
  });

  it('refuses an archive whose names climb out of it', async () => {
    const path = join(folder, 'climbing.zip');
    writeFileSync(
      path,
      readFileSync(npmZip).toString('latin1').replaceAll('ODD:001 2:.json', '../../esca.json'),
      'latin1',
    );
    await expect(readAll(path)).rejects.toThrow(/invalid relative path/);
  });

  it('survives damage anywhere in the file with an error or with what is left', async () => {
    const bytes = readFileSync(npmZip);
    const path = join(folder, 'damaged.zip');
    await fc.assert(
      fc.asyncProperty(
        fc.nat(bytes.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        async (at, flip, cut) => {
          const damaged = Buffer.from(cut ? bytes.subarray(0, at) : bytes);
          if (!cut) damaged[at] = (damaged[at] ?? 0) ^ flip;
          writeFileSync(path, damaged);
          await readAll(path).catch((error: unknown) => expect(error).toBeInstanceOf(FeedError));
        },
      ),
      { numRuns: 40 },
    );
  });
});
