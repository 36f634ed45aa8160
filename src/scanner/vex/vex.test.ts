import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../model/finding.ts';
import { digestOf } from '../../oci/digest.ts';
import { applyVex } from './apply.ts';
import { parseVex } from './parse.ts';
import type { VexStatement, VexSubject } from './types.ts';

const digest = digestOf('image');
const hex = digest.slice('sha256:'.length);
const subject: VexSubject = {
  digests: [digest],
  names: ['registry.example.com/team/app:1.2'],
  purls: ['pkg:maven/com.acme/app@1.0', 'pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12'],
};
const openssl: Finding = {
  id: 'CVE-2024-0001',
  aliases: ['GHSA-aaaa-bbbb-cccc'],
  package: {
    type: 'deb',
    name: 'libssl3',
    version: '3.0.11-1',
    arch: 'amd64',
    source: { name: 'openssl', version: '3.0.11-1' },
    purl: 'pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12',
    path: 'var/lib/dpkg/status',
  },
  installed: '3.0.11-1',
  status: 'affected',
  severities: [],
  advisories: ['DEBIAN-CVE-2024-0001'],
  source: 'osv:Debian',
};

function openVex(products: readonly unknown[], over: object = {}): unknown {
  return {
    '@context': 'https://openvex.dev/ns/v0.2.0',
    '@id': 'https://acme.example/vex/1',
    author: 'Acme',
    timestamp: '2026-01-01T00:00:00Z',
    statements: [
      {
        vulnerability: { name: 'CVE-2024-0001' },
        products,
        status: 'not_affected',
        justification: 'vulnerable_code_not_present',
        ...over,
      },
    ],
  };
}

function read(document: unknown, name = 'app.vex.json') {
  return parseVex(Buffer.from(JSON.stringify(document)), name);
}

function statusOf(document: unknown, finding = openssl): string | undefined {
  return applyVex([finding], read(document).statements, subject)[0]?.vex?.status;
}

describe('OpenVEX', () => {
  it.each([
    ['the digest of the image', [{ '@id': `pkg:oci/app@sha256%3A${hex}` }], true],
    ['hashes of the image', [{ '@id': 'https://acme.example/app', hashes: { 'sha-256': hex } }], true],
    ['another digest under the right name', [{ '@id': `pkg:oci/app@sha256%3A${'0'.repeat(64)}` }], false],
    ['the image by its repository', [{ '@id': 'pkg:oci/app?repository_url=registry.example.com/team/app' }], true],
    ['the image by its folder', [{ '@id': 'pkg:oci/app?repository_url=registry.example.com/team' }], true],
    ['another repository', [{ '@id': 'pkg:oci/app?repository_url=registry.example.com/other/app' }], false],
    ['another tag', [{ '@id': 'pkg:oci/app?tag=2.0' }], false],
    ['a reference', [{ '@id': 'registry.example.com/team/app:1.2' }], true],
    ['the end of its name', ['team/app'], true],
    ['part of a word of its name', ['pp'], false],
    ['an address that says nothing', [{ '@id': 'https://acme.example/app' }], false],
    ['the package', ['pkg:deb/debian/libssl3@3.0.11-1'], true],
    ['the package in any version', ['pkg:deb/debian/libssl3'], true],
    ['the package in another version', ['pkg:deb/debian/libssl3@3.0.12-1'], false],
    ['the package for another processor', ['pkg:deb/debian/libssl3?arch=arm64'], false],
    ['the package of another distribution', ['pkg:deb/ubuntu/libssl3'], false],
    ['its source', ['pkg:deb/debian/openssl@3.0.11-1?arch=source'], true],
    ['its source as if it were a package', ['pkg:deb/debian/openssl'], false],
    ['no product', [], false],
    [
      'a component of the image',
      [{ '@id': 'pkg:oci/app', subcomponents: [{ '@id': 'pkg:deb/debian/libssl3' }] }],
      true,
    ],
    [
      'another component of the image',
      [{ '@id': 'pkg:oci/app', subcomponents: [{ '@id': 'pkg:deb/debian/zlib1g' }] }],
      false,
    ],
    [
      'a component of another package in it',
      [{ '@id': 'pkg:maven/com.acme/app', subcomponents: [{ '@id': 'pkg:deb/debian/libssl3' }] }],
      true,
    ],
    [
      'a component of a package that is not in it',
      [{ '@id': 'pkg:maven/com.acme/other', subcomponents: [{ '@id': 'pkg:deb/debian/libssl3' }] }],
      false,
    ],
  ])('%s', (_, products, applies) => {
    expect(statusOf(openVex(products))).toBe(applies ? 'not_affected' : undefined);
  });

  it('keeps who says what, and where', () => {
    const { statements } = read(openVex(['pkg:oci/app']));
    expect(applyVex([openssl], statements, subject)[0]?.vex).toEqual({
      status: 'not_affected',
      justification: 'vulnerable_code_not_present',
      author: 'Acme',
      document: 'app.vex.json',
    });
  });

  it.each([
    ['an alias', { name: 'GHSA-AAAA-bbbb-cccc' }, true],
    ['the record of the distribution', 'DEBIAN-CVE-2024-0001', true],
    ['one of its own aliases', { name: 'ACME-1', aliases: ['CVE-2024-0001'] }, true],
    ['an address', { '@id': 'https://nvd.nist.gov/vuln/detail/CVE-2024-0001' }, true],
    ['another vulnerability', { name: 'CVE-2024-00011' }, false],
  ])('knows the vulnerability by %s', (_, vulnerability, applies) => {
    expect(statusOf(openVex(['pkg:oci/app'], { vulnerability }))).toBe(applies ? 'not_affected' : undefined);
  });
});

const product = (id: string, purl: string) => ({
  category: 'product_version',
  name: id,
  product: { product_id: id, name: id, product_identification_helper: { purl } },
});

describe('CSAF', () => {
  const document = {
    document: {
      category: 'csaf_vex',
      csaf_version: '2.0',
      publisher: { name: 'Acme' },
      tracking: { current_release_date: '2026-01-01T00:00:00Z' },
    },
    product_tree: {
      branches: [
        {
          category: 'vendor',
          name: 'Acme',
          branches: [
            product('app', 'pkg:oci/app?repository_url=registry.example.com/team/app'),
            product('ssl', 'pkg:deb/debian/libssl3'),
            product('zlib', 'pkg:deb/debian/zlib1g'),
            { category: 'product_name', name: 'Linux', product: { product_id: 'linux', name: 'Linux' } },
          ],
        },
      ],
      relationships: [
        ['app', 'ssl'],
        ['app', 'zlib'],
        ['linux', 'ssl'],
      ].map(([whole, part]) => ({
        category: 'default_component_of',
        product_reference: part,
        relates_to_product_reference: whole,
        full_product_name: { product_id: `${whole}:${part}`, name: '' },
      })),
    },
    vulnerabilities: [] as unknown[],
  };
  const saying = (status: string, ...ids: string[]) => ({
    ...document,
    vulnerabilities: [
      {
        cve: 'CVE-2024-0001',
        product_status: { [status]: ids },
        flags: [{ label: 'component_not_present', product_ids: ids }],
      },
    ],
  });

  it.each([
    ['known_not_affected', 'app:ssl', 'not_affected'],
    ['known_not_affected', 'app:zlib', undefined],
    ['known_not_affected', 'app', 'not_affected'],
    ['known_not_affected', 'ssl', 'not_affected'],
    ['known_not_affected', 'linux:ssl', undefined],
    ['known_not_affected', 'nobody', undefined],
    ['fixed', 'app:ssl', 'fixed'],
    ['known_affected', 'app:ssl', 'affected'],
    ['under_investigation', 'app:ssl', 'under_investigation'],
  ])('%s of %s: %s', (group, id, status) => {
    expect(statusOf(saying(group, id))).toBe(status);
  });

  it('gives the flag as the reason, and says which products it cannot compare', () => {
    const { statements, problems } = read(saying('known_not_affected', 'app:ssl', 'linux'));
    expect(statements).toMatchObject([{ justification: 'component_not_present', author: 'Acme' }]);
    expect(problems).toEqual([expect.stringContaining('1 products have neither package URL nor digest')]);
  });
});

const analysed = (state: string, affects: readonly unknown[], component?: object) => ({
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  metadata: { authors: [{ name: 'Acme' }], timestamp: '2026-01-01T00:00:00Z', component },
  components: [{ 'bom-ref': 'c1', purl: 'pkg:deb/debian/libssl3@3.0.11-1', name: 'libssl3' }],
  vulnerabilities: [{ id: 'CVE-2024-0001', analysis: { state, justification: 'code_not_reachable' }, affects }],
});

describe('CycloneDX', () => {
  const app = { 'bom-ref': 'root', type: 'container', name: 'app', purl: `pkg:oci/app@sha256%3A${hex}` };
  const other = { ...app, purl: `pkg:oci/app@sha256%3A${'0'.repeat(64)}` };

  it.each([
    ['not_affected', [{ ref: 'c1' }], undefined, 'not_affected'],
    ['false_positive', [{ ref: 'c1' }], undefined, 'not_affected'],
    ['resolved', [{ ref: 'c1' }], undefined, 'fixed'],
    ['in_triage', [{ ref: 'c1' }], undefined, 'under_investigation'],
    ['exploitable', [{ ref: 'c1' }], undefined, 'affected'],
    ['invented', [{ ref: 'c1' }], undefined, undefined],
    ['not_affected', [{ ref: 'pkg:deb/debian/libssl3' }], undefined, 'not_affected'],
    ['not_affected', [{ ref: 'urn:cdx:3e671687/1#pkg%3Adeb%2Fdebian%2Flibssl3' }], undefined, 'not_affected'],
    ['not_affected', [{ ref: 'c1', versions: [{ version: '3.0.11-1' }] }], undefined, 'not_affected'],
    ['not_affected', [{ ref: 'c1', versions: [{ version: '2.0' }] }], undefined, undefined],
    ['not_affected', [{ ref: 'c1', versions: [{ range: 'vers:deb/*' }] }], undefined, undefined],
    ['not_affected', [{ ref: 'root' }], app, 'not_affected'],
    ['not_affected', [{ ref: 'c1' }], app, 'not_affected'],
    ['not_affected', [{ ref: 'c1' }], other, undefined],
    ['not_affected', [], app, undefined],
  ])('%s of %j in %j: %s', (state, affects, component, status) => {
    expect(statusOf(analysed(state, affects, component))).toBe(status);
  });
});

const says = (status: VexStatement['status'], author: string, at: number): VexStatement => ({
  vulnerabilities: ['CVE-2024-0001'],
  products: [{ digests: [digest], purls: [], names: [], components: [] }],
  status,
  author,
  at,
  document: `${author} ${at}`,
});

describe('statements that disagree', () => {
  it.each([
    ['the newest of one author', [says('affected', 'a', 1), says('not_affected', 'a', 2)], 'not_affected'],
    ['also when it is worse', [says('not_affected', 'a', 1), says('affected', 'a', 2)], 'affected'],
    ['the worse of two of one moment', [says('not_affected', 'a', 1), says('fixed', 'a', 1)], 'fixed'],
    ['affected before the rest', [says('not_affected', 'a', 9), says('affected', 'b', 1)], 'affected'],
    ['investigation before fixed', [says('fixed', 'a', 9), says('under_investigation', 'b', 1)], 'under_investigation'],
    ['fixed before not affected', [says('not_affected', 'a', 9), says('fixed', 'b', 1)], 'fixed'],
  ])('%s', (_, statements, status) => {
    for (const order of [statements, statements.toReversed()])
      expect(applyVex([openssl], order, subject)[0]?.vex?.status).toBe(status);
  });

  it('marks findings whatever the order of statements, and removes none', () => {
    const statement = fc.record({
      status: fc.constantFrom('affected' as const, 'not_affected' as const, 'fixed' as const),
      author: fc.constantFrom('a', 'b'),
      at: fc.nat(3),
    });
    fc.assert(
      fc.property(fc.array(statement, { maxLength: 6 }), (list) => {
        const statements = list.map(({ status, author, at }) => says(status, author, at));
        const marked = applyVex([openssl], statements, subject);
        expect(marked).toHaveLength(1);
        expect(applyVex([openssl], statements.toReversed(), subject)).toEqual(marked);
      }),
    );
  });
});

describe('documents', () => {
  const bare = openVex(['pkg:oci/app']);
  const attestation = { _type: 'https://in-toto.io/Statement/v1', predicateType: 'x', subject: [], predicate: bare };
  const envelope = {
    payloadType: 'application/vnd.in-toto+json',
    payload: Buffer.from(JSON.stringify(attestation)).toString('base64'),
    signatures: [],
  };
  it.each([
    ['bare', bare],
    ['an in-toto statement', attestation],
    ['a DSSE envelope', envelope],
    ['a Sigstore bundle', { mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json', dsseEnvelope: envelope }],
  ])('in the form of %s', (_, document) => expect(statusOf(document)).toBe('not_affected'));

  it.each([
    ['no JSON', 'what', 'is not JSON'],
    ['another document', '{"spdxVersion":"SPDX-2.3"}', 'neither OpenVEX nor CSAF nor CycloneDX'],
    ['nothing', '', 'is not JSON'],
    ['a number', '1', 'neither'],
    [
      'CSAF without its version',
      '{"document":{"category":"csaf_vex"},"product_tree":{},"vulnerabilities":[]}',
      'f.json looks like CSAF, but has no document.csaf_version',
    ],
    ['another CSAF', '{"document":{"csaf_version":"1.2"}}', 'is CSAF 1.2, which is not read'],
    [
      'CSAF without its parts',
      '{"document":{"csaf_version":"2.0"}}',
      'f.json: it has no product_tree and no vulnerabilities',
    ],
    ['OpenVEX without its context', '{"author":"a","statements":[]}', 'looks like OpenVEX, but has no @context'],
    ['OpenVEX without statements', '{"@context":"https://openvex.dev/ns/v0.2.0"}', 'f.json: it has no statements'],
    ['CycloneDX without its name', '{"specVersion":"1.6","vulnerabilities":[]}', 'has no "bomFormat": "CycloneDX"'],
    ['CycloneDX without VEX', '{"bomFormat":"CycloneDX"}', 'f.json: it has no vulnerabilities'],
    ['an envelope with garbage', '{"payloadType":"x","payload":"e30x"}', 'neither'],
  ])('say what is wrong with %s', (_, text, problem) => {
    expect(parseVex(Buffer.from(text), 'f.json')).toEqual({
      statements: [],
      problems: [expect.stringContaining(problem)],
    });
  });

  it('that are damaged anywhere never make it throw, nor suppress anything they do not name', () => {
    const texts = [
      bare,
      envelope,
      { bomFormat: 'CycloneDX', vulnerabilities: [{ id: 'x', analysis: {}, affects: [1] }] },
    ];
    const junk = fc.oneof(fc.jsonValue(), fc.constant('__proto__'), fc.constant({ constructor: 1 }));
    const replaced = fc.tuple(fc.constantFrom(...texts), fc.array(fc.tuple(fc.nat(400), junk), { maxLength: 4 }));
    fc.assert(
      fc.property(replaced, ([document, edits]) => {
        let text = JSON.stringify(document);
        for (const [at, value] of edits) text = text.slice(0, at) + JSON.stringify(value) + text.slice(at + 1);
        const reading = parseVex(Buffer.from(text), 'f');
        expect(Array.isArray(applyVex([openssl], reading.statements, subject))).toBe(true);
      }),
    );
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const document = { '@context': 'https://openvex.dev/ns', statements: [value], author: value };
        expect(applyVex([openssl], read(document).statements, subject)[0]?.vex).toBeUndefined();
      }),
    );
  });

  it('are read in linear time whatever their depth', () => {
    const deep = `${'{"branches":['.repeat(20_000)}${']}'.repeat(20_000)}`;
    const text = `{"document":{"csaf_version":"2.0"},"product_tree":${deep}}`;
    expect(parseVex(Buffer.from(text), 'f').statements).toEqual([]);
  });
});

describe('a moment that is none', () => {
  const wrong = [
    '2026-02-30T00:00:00Z',
    '2026-02-20T00:00:00',
    '2026-11-20',
    'Nov 20 2026',
    '20261125',
    '',
    20261125,
    null,
  ];
  const products = [{ '@id': subject.names[0] }];
  const csaf = {
    product_tree: { branches: [product('ssl', 'pkg:deb/debian/libssl3')] },
    vulnerabilities: [{ cve: 'CVE-2024-0001', product_status: { known_not_affected: ['ssl'] } }],
  };
  const dated = (at: unknown) => [
    { ...(openVex(products) as object), timestamp: at },
    openVex(products, { last_updated: at }),
    { ...csaf, document: { category: 'csaf_vex', csaf_version: '2.0', tracking: { current_release_date: at } } },
    { ...analysed('not_affected', [{ ref: 'c1' }]), metadata: { timestamp: at } },
  ];

  it('does not place a statement in time: it is left out, and said', () => {
    for (const document of dated('2026-11-20T00:00:00+01:00'))
      expect(read(document).statements).toMatchObject([{ at: Date.parse('2026-11-19T23:00:00Z') }]);
    for (const at of wrong)
      for (const document of dated(at)) {
        const { statements, problems } = read(document);
        expect([statements, problems]).toEqual([
          [],
          [expect.stringContaining('is no moment like 2026-11-20T12:00:00Z')],
        ]);
      }
  });
});
