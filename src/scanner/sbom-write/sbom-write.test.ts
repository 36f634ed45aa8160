import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cycloneDxValidator, spdxValidator } from '../../../test/schemas/validators.ts';
import type { Inventory } from '../../model/inventory.ts';
import { digestOf } from '../../oci/digest.ts';
import { hostileSbomInput } from './arbitrary.testing.ts';
import { type SbomForm, type SbomInput, writeSbom } from './index.ts';

const VALIDATORS = { spdx: spdxValidator(), cyclonedx: cycloneDxValidator() } as const;
const FORMS = ['spdx', 'cyclonedx'] as const satisfies readonly SbomForm[];
const LAYER = digestOf('layer');
const MANIFEST = digestOf('manifest');

const INVENTORY: Inventory = {
  analyser: 'breakwater/3',
  distribution: {
    id: 'debian',
    version: '12',
    idLike: [],
    prettyName: 'Debian GNU/Linux 12 (bookworm)',
    rolling: false,
  },
  packages: [
    {
      type: 'deb',
      name: 'libssl3',
      version: '3.0.11-1~deb12u2',
      arch: 'amd64',
      source: { name: 'openssl', version: '3.0.11-1~deb12u2' },
      purl: 'pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12',
      path: 'var/lib/dpkg/status',
      layer: LAYER,
    },
    {
      type: 'npm',
      name: '@a/b',
      version: '1.0.0',
      purl: 'pkg:npm/%40a/b@1.0.0',
      path: 'app/node_modules/@a/b/package.json',
      layer: LAYER,
      licence: 'MIT OR Apache-2.0',
    },
    {
      type: 'npm',
      name: '@a/b',
      version: '1.0.0',
      purl: 'pkg:npm/%40a/b@1.0.0',
      path: 'srv/node_modules/@a/b/package.json',
      licence: 'MIT OR Apache-2.0',
    },
    { type: 'rpm', name: 'x', version: '1', purl: 'pkg:rpm/x@1', path: 'db', licence: 'GPLv2+', thirdParty: true },
  ],
  gaps: [],
  layers: [{ digest: LAYER, createdBy: 'RUN apt-get install libssl3' }],
  complete: true,
};

const INPUT: SbomInput = {
  subject: { kind: 'image', name: 'app:1', digest: MANIFEST, repository: 'docker.io/team/app', tag: '1' },
  inventory: INVENTORY,
  version: '0.1.0',
  now: Date.parse('2026-11-25T12:00:00Z'),
};

function written(form: SbomForm, input: SbomInput): Record<string, never> {
  return JSON.parse(writeSbom(form, input)) as Record<string, never>;
}

describe('SPDX 2.3', () => {
  const document = written('spdx', INPUT);
  const packages = document['packages'] as unknown as Record<string, unknown>[];

  it('is valid', () => {
    expect(VALIDATORS.spdx(document)).toEqual([]);
  });
  it('describes the image, which contains the system and every package once', () => {
    expect(packages.map(({ name }) => name)).toEqual(['app:1', 'debian', 'libssl3', '@a/b', 'x']);
    expect(packages[0]).toMatchObject({
      primaryPackagePurpose: 'CONTAINER',
      checksums: [{ algorithm: 'SHA256', checksumValue: MANIFEST.slice(7) }],
      externalRefs: [
        {
          referenceLocator: `pkg:oci/app@sha256%3A${MANIFEST.slice(7)}?repository_url=docker.io%2Fteam%2Fapp&tag=1`,
        },
      ],
    });
    const ids = packages.map(({ SPDXID }) => SPDXID as string);
    const [root, ...others] = ids;
    expect(document['relationships']).toEqual([
      { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: root },
      ...others.map((id) => ({ spdxElementId: root, relationshipType: 'CONTAINS', relatedSpdxElement: id })),
    ]);
  });
  it('says where each came from', () => {
    expect(packages[2]).toMatchObject({
      versionInfo: '3.0.11-1~deb12u2',
      supplier: 'Organization: debian',
      sourceInfo: `built from openssl 3.0.11-1~deb12u2\nfound at var/lib/dpkg/status in layer ${LAYER} made by RUN apt-get install libssl3`,
      externalRefs: [
        {
          referenceLocator: 'pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12&upstream=openssl',
        },
      ],
    });
    expect(packages[3]?.['sourceInfo']).toMatch(/app\/node_modules.*\n.*srv\/node_modules/);
  });
  it('declares licences by the list, others in their own words', () => {
    expect(packages.map(({ licenseDeclared }) => licenseDeclared)).toEqual([
      'NOASSERTION',
      'NOASSERTION',
      'NOASSERTION',
      'MIT OR Apache-2.0',
      expect.stringMatching(/^LicenseRef-GPLv2-[0-9a-f]{8}$/),
    ]);
    expect(document['hasExtractedLicensingInfos']).toEqual([
      { licenseId: packages[4]?.['licenseDeclared'], name: 'GPLv2+', extractedText: 'GPLv2+' },
    ]);
    expect(packages[4]?.['supplier']).toBe('NOASSERTION');
  });
});

describe('CycloneDX 1.6', () => {
  const bom = written('cyclonedx', INPUT);
  const components = bom['components'] as unknown as Record<string, unknown>[];

  it('is valid', () => {
    expect(VALIDATORS.cyclonedx(bom)).toEqual([]);
  });
  it('has the image as its root, which depends on everything', () => {
    expect(bom['metadata']).toMatchObject({
      timestamp: '2026-11-25T12:00:00Z',
      component: { 'bom-ref': 'root', type: 'container', version: MANIFEST },
    });
    expect(bom['dependencies']).toEqual([
      { ref: 'root', dependsOn: components.map((one) => one['bom-ref']) },
      ...components.map((one) => ({ ref: one['bom-ref'] })),
    ]);
  });
  it('says where each came from', () => {
    expect(components.slice(0, 3)).toMatchObject([
      { type: 'operating-system', name: 'debian', version: '12' },
      {
        name: 'libssl3',
        supplier: { name: 'debian' },
        evidence: { occurrences: [{ location: 'var/lib/dpkg/status', additionalContext: `layer ${LAYER}` }] },
        properties: [
          { name: 'breakwater:layer:digest', value: LAYER },
          { name: 'breakwater:layer:step', value: 'RUN apt-get install libssl3' },
          { name: 'breakwater:source:name', value: 'openssl' },
          { name: 'breakwater:source:version', value: '3.0.11-1~deb12u2' },
        ],
      },
      {
        group: '@a',
        name: 'b',
        licenses: [{ expression: 'MIT OR Apache-2.0' }],
        evidence: {
          occurrences: [
            { location: 'app/node_modules/@a/b/package.json' },
            { location: 'srv/node_modules/@a/b/package.json' },
          ],
        },
      },
    ]);
    expect(components[3]).toMatchObject({
      licenses: [{ license: { name: 'GPLv2+' } }],
      properties: [{ name: 'breakwater:third-party', value: 'true' }],
    });
  });
  it('tells what was found, with every rating and whether it counts', () => {
    const [libssl] = INVENTORY.packages;
    if (!libssl) throw new Error('no package');
    const severities = [
      { source: 'nvd', severity: 'high', score: 7.5, vector: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H' },
      { source: 'debian', severity: 'negligible' },
    ] as const;
    const finding = {
      id: 'CVE-2026-0001',
      aliases: ['GHSA-aaaa-bbbb-cccc'],
      package: libssl,
      installed: libssl.version,
      fixed: '3.0.12',
      status: 'affected',
      severities,
      kev: '2026-02-01',
      epss: { probability: 0.5, percentile: 0.9 },
      published: '2026-01-01T00:00:00Z',
      advisories: ['DEBIAN-CVE-2026-0001'],
      source: 'osv:Debian',
    } as const;
    const withFindings = written('cyclonedx', {
      ...INPUT,
      findings: [{ finding }, { finding: { ...finding, id: 'CVE-2026-0002', aliases: [] }, setAside: 'not reachable' }],
    });
    expect(VALIDATORS.cyclonedx(withFindings)).toEqual([]);
    const [first, second] = withFindings['vulnerabilities'] as unknown as Record<string, unknown>[];
    expect(first).toMatchObject({
      id: 'CVE-2026-0001',
      source: { name: 'osv:Debian' },
      ratings: [
        { source: { name: 'nvd' }, score: 7.5, severity: 'high', method: 'CVSSv31', vector: severities[0].vector },
        { source: { name: 'debian' }, severity: 'info' },
      ],
      recommendation: 'Update libssl3 to 3.0.12.',
      published: '2026-01-01T00:00:00.000Z',
      affects: [{ ref: components[1]?.['bom-ref'], versions: [{ version: libssl.version, status: 'affected' }] }],
    });
    expect(first).not.toHaveProperty('analysis');
    expect(second).toMatchObject({ analysis: { detail: 'not reachable' } });
  });
});

describe.each(FORMS)('%s', (form) => {
  const nameOf = (input: SbomInput) => {
    const document = written(form, input);
    return document['documentNamespace'] ?? document['serialNumber'];
  };
  it('is named by its content, whatever the time', () => {
    expect(nameOf({ ...INPUT, now: 0 })).toBe(nameOf(INPUT));
    expect(nameOf(INPUT)).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(nameOf({ ...INPUT, inventory: { ...INVENTORY, packages: [] } })).not.toBe(nameOf(INPUT));
  });
  it('is valid and printable whatever images hold', () => {
    fc.assert(
      fc.property(hostileSbomInput, (input) => {
        const text = writeSbom(form, input);
        const document = JSON.parse(text) as Record<string, unknown>;
        expect(VALIDATORS[form](document)).toEqual([]);
        expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
        const ids = form === 'spdx' ? idsOf(document['packages'], 'SPDXID') : idsOf(document['components'], 'bom-ref');
        expect(new Set(ids).size).toBe(ids.length);
        for (const id of form === 'spdx' ? ids : []) expect(id).toMatch(/^SPDXRef-[A-Za-z0-9.-]+$/);
      }),
      { numRuns: 60 },
    );
  });
});

function idsOf(list: unknown, member: string): readonly unknown[] {
  return (list as Record<string, unknown>[]).map((one) => one[member]);
}
