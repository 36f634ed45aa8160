import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Inventory } from '../../model/inventory.ts';
import { inventoryOf, lookupOf } from './lookup.testing.ts';
import { matchInventory } from './match.ts';

const alpine = { id: 'alpine', version: '3.20.3' };
const debian = { id: 'debian', version: '12' };

function npm(version: string): Inventory {
  return inventoryOf([{ type: 'npm', name: 'p', version }]);
}

describe('matching', () => {
  it('looks Alpine packages up by origin, under the exact release', () => {
    const libssl = { name: 'libssl3', version: '3.3.2-r0', source: { name: 'openssl', version: '3.3.2-r0' } };
    const lookup = lookupOf({
      'Alpine:v3.20 openssl': [{ ids: ['CVE-2024-9143'], ranges: [{ fixed: '3.3.2-r1' }] }],
      'Alpine:v3.19 openssl': [{ ids: ['CVE-2000-0001'], ranges: [{}] }],
      'Alpine:v3.20 libssl3': [{ ids: ['CVE-2000-0002'], ranges: [{}] }],
    });
    const { findings } = matchInventory(inventoryOf([libssl], alpine), lookup);
    expect(findings).toMatchObject([
      { id: 'CVE-2024-9143', installed: '3.3.2-r0', fixed: '3.3.2-r1', status: 'affected' },
    ]);
  });

  it('compares the source version of Debian packages', () => {
    const rebuilt = { type: 'deb' as const, name: 'bin', version: '9:1.0', source: { name: 'src', version: '1.2-1' } };
    const lookup = lookupOf({ 'Debian:12 src': [{ ids: ['CVE-2024-0001'], ranges: [{ fixed: '1.2-2' }] }] });
    expect(matchInventory(inventoryOf([rebuilt], debian), lookup).findings).toMatchObject([
      { installed: '9:1.0', fixed: '1.2-2' },
    ]);
  });

  it.each([
    ['alpine', '3.21.0_alpha20240923', false, 'Alpine:edge'],
    ['alpine', '3.20.3', true, 'Alpine:edge'],
    ['alpine', '3.20', false, 'Alpine:v3.20'],
    ['debian', '12', false, 'Debian:12'],
    ['debian', '12.5', false, 'Debian:12'],
  ])('knows %s %s (rolling %s) as %s', (id, version, rolling, ecosystem) => {
    const pkg = { type: id === 'debian' ? ('deb' as const) : ('apk' as const), version: '1' };
    const { missing } = matchInventory(inventoryOf([pkg], { id, version, rolling }), lookupOf({}));
    expect(missing).toEqual([ecosystem]);
  });

  it.each([
    [{ id: 'debian', codename: 'sid', rolling: true }, 'apk packages of debian'],
    [{ id: 'ubuntu', version: '24.04', prettyName: 'Ubuntu 24.04 LTS' }, 'apk packages of Ubuntu 24.04 LTS'],
    [undefined, 'apk packages of an unknown distribution'],
  ])('never takes silence for health: %j', (distribution, missing) => {
    expect(matchInventory(inventoryOf([{}], distribution), lookupOf({})).missing).toEqual([missing]);
  });

  it('says which ecosystems rest on samples only', () => {
    const lookup = lookupOf({ 'npm a': [], 'Alpine:v3.20 p': [] }, {}, ['npm']);
    const result = matchInventory(inventoryOf([{}, { type: 'npm', name: 'a', version: '1.0.0' }], alpine), lookup);
    expect(result).toMatchObject({ sampled: ['npm'], missing: [] });
    expect(result.sources.map(({ ecosystem }) => ecosystem)).toEqual(['Alpine:v3.20', 'npm']);
  });

  it('reports a package whose version cannot be compared', () => {
    const lookup = lookupOf({ 'Alpine:v3.20 p': [{ ids: ['CVE-2024-0001'], ranges: [{}] }] });
    const { findings, gaps } = matchInventory(inventoryOf([{ version: 'what' }], alpine), lookup);
    expect([findings, gaps]).toMatchObject([
      [],
      [{ kind: 'malformed-entry', message: expect.stringContaining('"what" is no apk version') }],
    ]);
  });
});

describe('one row per vulnerability and package', () => {
  it('merges records by their aliases under the CVE, and keeps every severity', () => {
    const lookup = lookupOf(
      {
        'npm p': [
          {
            advisory: 'NSWG-1',
            ids: ['GHSA-a', 'NSWG-1'],
            ranges: [{ fixed: '1.2.0' }],
            severities: [{ source: 'nswg', severity: 'low' }],
          },
          {
            advisory: 'GHSA-a',
            ids: ['CVE-2024-0001', 'GHSA-a'],
            ranges: [{ fixed: '1.3.0' }],
            severities: [{ source: 'ghsa', severity: 'high' }],
          },
        ],
      },
      {
        'CVE-2024-0001': {
          severities: [{ source: 'nvd', severity: 'critical', score: 9.8 }],
          kev: '2024-05-01',
          epss: { probability: 0.5, percentile: 0.9 },
          published: '2024-01-01T00:00:00Z',
        },
      },
    );
    expect(matchInventory(npm('1.0.0'), lookup).findings).toEqual([
      expect.objectContaining({
        id: 'CVE-2024-0001',
        aliases: ['GHSA-a', 'NSWG-1'],
        fixed: '1.3.0',
        severities: [
          { source: 'ghsa', severity: 'high' },
          { source: 'nswg', severity: 'low' },
          { source: 'nvd', severity: 'critical', score: 9.8 },
        ],
        kev: '2024-05-01',
        epss: { probability: 0.5, percentile: 0.9 },
        published: '2024-01-01T00:00:00Z',
        advisories: ['GHSA-a', 'NSWG-1'],
      }),
    ]);
  });

  it('follows aliases in circles to an end', () => {
    const lookup = lookupOf({
      'npm p': [
        { ids: ['A', 'B'], ranges: [{}] },
        { ids: ['B', 'C'], ranges: [{}] },
        { ids: ['C', 'A'], ranges: [{}] },
      ],
    });
    expect(matchInventory(npm('1.0.0'), lookup).findings).toMatchObject([{ id: 'A', aliases: ['B', 'C'] }]);
  });

  it('does not follow aliases to another package', () => {
    const lookup = lookupOf({
      'npm p': [{ ids: ['GHSA-a'], ranges: [{}] }],
      'npm q': [{ ids: ['CVE-2024-0001', 'GHSA-a'], ranges: [{}] }],
    });
    expect(matchInventory(npm('1.0.0'), lookup).findings).toMatchObject([{ id: 'GHSA-a', aliases: [] }]);
  });

  it.each([
    ['the higher of two fixes', '1.0.0', [{ ranges: [{ fixed: '1.1.0' }] }, { ranges: [{ fixed: '1.2.0' }] }], '1.2.0'],
    [
      'the fix of the own branch',
      '1.0.0',
      [{ ranges: [{ fixed: '1.5.0' }, { introduced: '2.0.0', fixed: '2.1.0' }] }],
      '1.5.0',
    ],
    [
      'no fix that is affected again',
      '1.0.0',
      [{ ranges: [{ fixed: '1.5.0' }] }, { ranges: [{ introduced: '1.5.0', fixed: '1.6.0' }] }],
      '1.6.0',
    ],
    ['none while one record knows none', '1.0.0', [{ ranges: [{ fixed: '1.5.0' }] }, { ranges: [{}] }], undefined],
    ['none after a last affected version', '1.0.0', [{ ranges: [{ lastAffected: '1.4.0' }] }], undefined],
    ['none for listed versions', '1.0.0', [{ versions: ['1.0.0'] }], undefined],
  ])('names %s', (_, version, statements, fixed) => {
    const lookup = lookupOf({ 'npm p': statements.map((statement) => ({ ...statement, ids: ['CVE-2024-0001'] })) });
    const { findings } = matchInventory(npm(version), lookup);
    expect(findings.map((finding) => finding.fixed)).toEqual([fixed]);
  });

  it.each([
    ['1.4.0', [{ lastAffected: '1.4.0' }], true],
    ['1.4.1', [{ lastAffected: '1.4.0' }], false],
    ['1.5.0', [{ fixed: '1.5.0' }], false],
    ['1.5.0-rc.1', [{ fixed: '1.5.0' }], true],
    ['9.0.0', [{ introduced: '9.0.0', fixed: '1.0.0' }], false],
  ])('version %s in %j: %s', (version, ranges, affected) => {
    const lookup = lookupOf({ 'npm p': [{ ids: ['CVE-2024-0001'], ranges }] });
    expect(matchInventory(npm(version), lookup).findings.length > 0).toBe(affected);
  });

  it('lets "never affected" veto what other feeds say, for that vulnerability only', () => {
    const lookup = lookupOf({
      'npm p': [
        { ids: ['CVE-2024-0001'], never: true },
        { ids: ['CVE-2024-0001', 'GHSA-a'], ranges: [{}] },
        { ids: ['CVE-2024-0002'], ranges: [{}] },
      ],
    });
    expect(matchInventory(npm('1.0.0'), lookup).findings.map(({ id }) => id)).toEqual(['CVE-2024-0002']);
  });

  it('reports nothing for a rejected CVE', () => {
    const lookup = lookupOf(
      { 'npm p': [{ ids: ['CVE-2024-0001'], ranges: [{}] }] },
      { 'CVE-2024-0001': { rejected: true } },
    );
    expect(matchInventory(npm('1.0.0'), lookup).findings).toEqual([]);
  });

  it('says what the publisher says about its will to fix', () => {
    const lookup = lookupOf({ 'npm p': [{ ids: ['CVE-2024-0001'], ranges: [{}], status: 'end_of_life' }] });
    expect(matchInventory(npm('1.0.0'), lookup).findings).toMatchObject([{ status: 'end_of_life' }]);
  });

  it('does not depend on the order of the records', () => {
    const id = fc.constantFrom('CVE-2024-0001', 'CVE-2024-0002', 'GHSA-a', 'GHSA-b', 'X-1', 'X-2');
    const version = fc.constantFrom('1.0.0', '1.1.0', '2.0.0', '3.0.0');
    const statement = fc.record({
      ids: fc.uniqueArray(id, { minLength: 1, maxLength: 3 }),
      ranges: fc.array(fc.record({ introduced: version, fixed: version }), { maxLength: 2 }),
    });
    fc.assert(
      fc.property(fc.array(statement, { maxLength: 6 }), version, (statements, installed) => {
        const rows = (list: typeof statements) =>
          matchInventory(npm(installed), lookupOf({ 'npm p': list })).findings.map(({ id, aliases, fixed }) => ({
            id,
            aliases,
            fixed,
          }));
        const found = rows(statements);
        expect(rows(statements.toReversed())).toEqual(found);
        const all = found.flatMap(({ id, aliases }) => [id, ...aliases]);
        expect(new Set(all).size).toBe(all.length);
      }),
    );
  });
});
