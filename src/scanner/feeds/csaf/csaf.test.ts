import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FeedFact, FeedRecord, PublishedStatement } from '../advisory.ts';
import { parseCsafDocument } from './parse.ts';
import { readCsaf } from './read.ts';
import { ecosystemOfCpe, rpmPackageOf } from './rpm-product.ts';
import { streamCsafDocument } from './stream.ts';

const folder = join(import.meta.dirname, 'testdata');
const documents = readdirSync(folder).filter((name) => name.endsWith('.json'));
const textOf = (name: string) => readFileSync(join(folder, name), 'utf8');

type Found = Extract<FeedFact, { kind: 'statement' }>;

function statements(record: FeedRecord): readonly Found[] {
  return record.facts.filter((fact) => fact.kind === 'statement');
}

function about(record: FeedRecord, ecosystem: string, name: string): readonly PublishedStatement[] {
  return statements(record)
    .filter((fact) => fact.ecosystem === ecosystem && fact.name === name)
    .map(({ statement }) => statement);
}

interface Made {
  readonly products?: Readonly<Record<string, object>>;
  readonly relations?: readonly (readonly [id: string, part: string, of: string])[];
  readonly vulnerability: object;
}

const RHEL9 = { cpe: 'cpe:/o:redhat:enterprise_linux:9' };

function document({ products = {}, relations = [], vulnerability }: Made): string {
  return JSON.stringify({
    document: { csaf_version: '2.0', tracking: { id: 'CVE-2024-1111', current_release_date: '2024-02-02T00:00:00Z' } },
    product_tree: {
      branches: [
        {
          branches: Object.entries({ rhel: RHEL9, ...products }).map(([id, helper]) => ({
            product: { name: id, product_id: id, product_identification_helper: helper },
          })),
        },
      ],
      relationships: relations.map(([id, part, of]) => ({
        full_product_name: { product_id: id },
        product_reference: part,
        relates_to_product_reference: of,
      })),
    },
    vulnerabilities: [{ cve: 'CVE-2024-1111', ...vulnerability }],
  });
}

function single(status: string, rest: object = {}, purl = 'pkg:rpm/redhat/p'): PublishedStatement | undefined {
  const text = document({
    products: { p: { purl } },
    relations: [['rhel:p', 'p', 'rhel']],
    vulnerability: { product_status: { [status]: ['rhel:p'] }, ...rest },
  });
  return statements(parseCsafDocument(text, 'x'))[0]?.statement;
}

describe('claims of a CSAF document', () => {
  const fix = 'pkg:rpm/redhat/p@1.2-3.el9?arch=x86_64&epoch=2';
  it.each([
    ['fixed', {}, fix, { ranges: [{ fixed: '2:1.2-3.el9' }], arches: ['x86_64'] }],
    ['known_affected', {}, undefined, { ranges: [{}] }],
    ['known_affected', {}, fix, { ranges: [{ lastAffected: '2:1.2-3.el9' }] }],
    ['known_not_affected', {}, undefined, { ranges: [], never: true }],
    ['under_investigation', {}, undefined, { ranges: [{}], status: 'under_investigation' }],
  ])('%s %j', (status, rest, purl, expected) => expect(single(status, rest, purl)).toMatchObject(expected));

  it.each([
    ['no_fix_planned', 'Will not fix', 'will_not_fix'],
    ['no_fix_planned', 'Out of support scope', 'end_of_life'],
    ['none_available', 'Fix deferred', 'fix_deferred'],
    ['none_available', 'Will not fix', 'will_not_fix'],
    ['none_available', 'Affected', undefined],
    ['workaround', 'Will not fix', undefined],
  ])('remediation %s "%s" is the status %s', (category, details, status) =>
    expect(single('known_affected', { remediations: [{ category, details, product_ids: ['rhel:p'] }] })?.status).toBe(
      status,
    ),
  );

  it('names the erratum of a fix, and the severity in words before the score', () => {
    const url = 'https://access.redhat.com/errata/RHSA-2024:1234';
    const found = single(
      'fixed',
      {
        remediations: [{ category: 'vendor_fix', url, product_ids: ['rhel:p'] }],
        threats: [{ category: 'impact', details: 'Moderate', product_ids: ['rhel:p'] }],
        scores: [{ cvss_v3: { baseScore: 9.8, vectorString: 'V' }, products: ['rhel:p'] }],
      },
      fix,
    );
    expect(found).toMatchObject({
      advisory: 'RHSA-2024:1234',
      severities: [{ source: 'distribution:redhat', severity: 'medium', score: 9.8, vector: 'V' }],
    });
  });

  it('lets a threat without products speak of all', () =>
    expect(single('fixed', { threats: [{ category: 'impact', details: 'Low' }] }, fix)?.severities).toMatchObject([
      { severity: 'low' },
    ]));

  it('keeps one statement for all architectures, and takes "not affected" back where a build is affected', () => {
    const arches = ['aarch64', 'ppc64le', 's390x', 'x86_64', 'src'];
    const products = Object.fromEntries(arches.map((arch) => [arch, { purl: `pkg:rpm/redhat/p@1-1?arch=${arch}` }]));
    const text = document({
      products: { ...products, plain: { purl: 'pkg:rpm/redhat/p' } },
      relations: [...arches, 'plain'].map((id) => [`rhel:${id}`, id, 'rhel'] as const),
      vulnerability: {
        product_status: {
          fixed: arches.map((arch) => `rhel:${arch}`),
          known_not_affected: ['rhel:plain', 'rhel:gone'],
        },
      },
    });
    const record = parseCsafDocument(text, 'x');
    expect(statements(record).map(({ statement }) => statement)).toMatchObject([{ ranges: [{ fixed: '0:1-1' }] }]);
    expect(statements(record)[0]?.statement).not.toHaveProperty('arches');
    expect(record.facts).toContainEqual(expect.objectContaining({ problem: 'no-package', detail: '1 products' }));
  });

  it('follows parts of modules to the stream', () => {
    const text = document({
      products: {
        'ruby:2.5:1:a': { purl: 'pkg:rpmmod/redhat/ruby' },
        r: { purl: 'pkg:rpm/redhat/ruby@2-1?arch=x86_64' },
      },
      relations: [
        ['rhel:ruby:r', 'r', 'rhel:ruby:2.5'],
        ['rhel:ruby:2.5', 'ruby:2.5:1:a', 'rhel'],
      ],
      vulnerability: { product_status: { fixed: ['rhel:ruby:r'] } },
    });
    expect(about(parseCsafDocument(text, 'x'), 'Red Hat:enterprise_linux:9', 'ruby')).toMatchObject([
      { module: 'ruby:2.5' },
    ]);
  });

  it('survives relations in a circle', () => {
    const text = document({
      products: { p: { purl: 'pkg:rpm/redhat/p' } },
      relations: [
        ['a', 'p', 'b'],
        ['b', 'p', 'a'],
      ],
      vulnerability: { product_status: { fixed: ['a', 'b'] } },
    });
    expect(statements(parseCsafDocument(text, 'x'))).toEqual([]);
  });
});

describe('names of products', () => {
  it.each([
    [
      'openssl',
      'pkg:rpm/redhat/openssl@3.0.7-27.el9?arch=i686&epoch=1',
      { name: 'openssl', evr: '1:3.0.7-27.el9', arch: 'i686' },
    ],
    [
      'x',
      'pkg:rpm/redhat/ruby@2.5.9-111.module%2Bel8?arch=src&rpmmod=ruby:2.5:80:b4',
      { name: 'ruby', evr: '0:2.5.9-111.module+el8', arch: 'src', module: 'ruby:2.5' },
    ],
    ['openssl', undefined, { name: 'openssl' }],
    ['openssl.src', undefined, { name: 'openssl', arch: 'src' }],
    ['telnet-1:0.17-65.el7_6.x86_64', undefined, { name: 'telnet', evr: '1:0.17-65.el7_6', arch: 'x86_64' }],
    ['satellite:el8/python-brotli.src', undefined, { name: 'python-brotli', arch: 'src', module: 'satellite:el8' }],
    ['nodejs:18/nodejs', 'pkg:rpm/redhat/nodejs', { name: 'nodejs', module: 'nodejs:18' }],
    ['registry.redhat.io/a/b@sha256:00_amd64', 'pkg:oci/b@sha256%3A00', undefined],
    ['registry.redhat.io/a/b@sha256:00_amd64', undefined, undefined],
    ['a name with spaces', undefined, undefined],
  ])('%s %s', (id, purl, expected) => expect(rpmPackageOf(id, purl)).toEqual(expected));

  it.each([
    ['cpe:/o:redhat:enterprise_linux:9::baseos', 'Red Hat:enterprise_linux:9::baseos'],
    ['cpe:/a:redhat:rhel_eus:9.4::appstream', 'Red Hat:rhel_eus:9.4::appstream'],
    ['cpe:/o:redhat:enterprise_linux:9::', 'Red Hat:enterprise_linux:9'],
    ['cpe:/h:redhat:x:9', undefined],
    ['cpe:/o:suse:sles:15', undefined],
    [undefined, undefined],
  ])('%s is %s', (cpe, expected) => expect(ecosystemOfCpe(cpe)).toBe(expected));
});

describe('real documents', () => {
  it('say what Red Hat says', () => {
    const record = parseCsafDocument(textOf('cve-2024-0727.json'), 'x');
    expect(record).toMatchObject({ feed: 'redhat-csaf', modified: '2025-11-21T14:32:00+00:00' });
    expect(about(record, 'Red Hat:enterprise_linux:9::baseos', 'openssl-libs')).toMatchObject([
      { advisory: 'RHSA-2024:2447', ranges: [{ fixed: '1:3.0.7-27.el9' }] },
    ]);
    expect(about(record, 'Red Hat:enterprise_linux:8', 'openssl-libs')).toMatchObject([{ status: 'fix_deferred' }]);
    expect(about(record, 'Red Hat:enterprise_linux:6', 'openssl')).toMatchObject([{ status: 'end_of_life' }]);
    expect(about(record, 'Red Hat:enterprise_linux:9', 'shim-x64')).toMatchObject([{ never: true }]);
  });

  it.each(documents)('%s says the same token by token, in whatever pieces it comes', async (name) => {
    const text = textOf(name);
    const expected = parseCsafDocument(text, name);
    expect(statements(expected).length).toBeGreaterThan(0);
    for (const size of [1000, 65_536]) {
      const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, n) =>
        Buffer.from(text.slice(n * size, (n + 1) * size)),
      );
      expect(await streamCsafDocument(iterate(pieces), name)).toEqual(expected);
    }
  });

  it('are found in a folder', async () => {
    const records: FeedRecord[] = [];
    for await (const record of readCsaf(folder)) records.push(record);
    expect(records).toHaveLength(documents.length);
  });
});

describe('damaged documents', () => {
  const text = textOf('cve-2026-0968.json');

  it.each(['', '{', 'null', '[]', '{"document":{}}', '{"document":{"csaf_version":2}}', '['.repeat(50_000)])(
    'like %.20s are counted',
    (json) =>
      expect(parseCsafDocument(json, 'n').facts).toMatchObject([{ kind: 'problem', problem: 'malformed-record' }]),
  );

  it.each(['{"a":', '{"document":{"tracking":{"id":"x"', '['.repeat(5000), '}'])(
    'like %.20s are counted as streams',
    async (json) => {
      const { facts } = await streamCsafDocument(iterate([Buffer.from(json)]), 'n');
      expect(facts).toMatchObject([{ kind: 'problem', problem: 'malformed-record' }]);
    },
  );

  it('give facts or problems, never an exception', () =>
    fc.assert(
      fc.asyncProperty(fc.nat(text.length), fc.nat(40), fc.string({ maxLength: 6 }), async (at, cut, put) => {
        const damaged = text.slice(0, at) + put + text.slice(at + cut);
        parseCsafDocument(damaged, 'n');
        await streamCsafDocument(iterate([Buffer.from(damaged)]), 'n');
      }),
      { numRuns: 100 },
    ));

  it('survive any values in their places', () =>
    fc.assert(
      fc.asyncProperty(fc.json(), fc.json(), async (tree, vulnerability) => {
        const json = `{"document":{"csaf_version":"2.0"},"product_tree":${tree},"vulnerabilities":[${vulnerability}]}`;
        parseCsafDocument(json, 'n');
        await streamCsafDocument(iterate([Buffer.from(json)]), 'n');
      }),
      { numRuns: 200 },
    ));
});

async function* iterate(pieces: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* pieces;
}
