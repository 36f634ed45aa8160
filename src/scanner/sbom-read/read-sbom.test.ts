import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSbom } from './read-sbom.ts';
import type { Sbom } from './types.ts';

const TESTDATA = join(import.meta.dirname, 'testdata');

/** What is read of a document; fails the test when it is refused. */
function bom(bytes: Buffer): Sbom {
  const sbom = readSbom(bytes);
  if ('refused' in sbom) throw new Error(sbom.refused);
  return sbom;
}

const read = (name: string) => bom(readFileSync(join(TESTDATA, name)));

const BASH = { type: 'rpm', name: 'bash', version: '4.2.46-31.el7', arch: 'x86_64', licence: 'GPLv3+' };
const OPENSSL = {
  type: 'rpm',
  name: 'openssl-libs',
  version: '1:1.0.2k-16.el7',
  arch: 'x86_64',
  licence: expect.stringMatching(/^OpenSSL/),
};
const CENTOS = { id: 'centos', version: '7.6.1810' };

describe('readSbom on what other programs wrote', () => {
  it.each([
    ['centos-7-cyclonedx.json', 'cyclonedx'],
    ['centos-7-cyclonedx.intoto.jsonl', 'cyclonedx'],
    ['centos-7-spdx.json', 'spdx'],
    ['centos-7-spdx.txt', 'spdx'],
  ])('reads %s', (name, format) => {
    const sbom = read(name);
    expect(sbom).toMatchObject({ format, distribution: CENTOS, packages: [BASH, OPENSSL] });
    expect(sbom.subject?.name).toMatch(/centos-7/);
    expect(sbom.problems).toEqual([]);
  });

  it('reads source packages, layers and paths that Trivy writes', () => {
    expect(read('debian-cyclonedx.json')).toMatchObject({
      distribution: { id: 'debian', version: '10' },
      packages: [
        { name: 'bash', version: '5.0-4', layer: expect.stringMatching(/^sha256:000eee12/) },
        { name: 'libidn2-0', source: { name: 'libidn2', version: '2.0.5-1' } },
        {
          type: 'gem',
          name: 'activesupport',
          path: 'var/lib/gems/2.5.0/specifications/activesupport-6.0.2.1.gemspec',
          licence: 'MIT',
        },
      ],
    });
  });

  it.each([
    ['alpine-spdx.json', '3.10.9', ['busybox 1.30.1-r5', 'libssl1.1 1.1.1k-r0', 'ssl_client 1.30.1-r5']],
    [
      'alpine-tag-value.spdx',
      '3.12.5',
      [
        'busybox 1.31.1-r19',
        'com.mycompany.app:my-app 1',
        'com.mycompany.app:my-app 1',
        'original-my-app:original-my-app 1',
      ],
    ],
  ])('reads %s that Syft wrote', (name, version, packages) => {
    const sbom = read(name);
    expect(sbom.distribution).toMatchObject({ id: 'alpine', version });
    expect(sbom.packages.map((pkg) => `${pkg.name} ${pkg.version}`).sort()).toEqual(packages);
    expect(sbom.packages[0]?.path).toBe('lib/apk/db/installed');
  });
});

const XML = `<?xml version="1.0" encoding="UTF-8"?>
<b:bom xmlns:b="http://cyclonedx.org/schema/bom/1.6" version="1">
  <b:metadata><b:tools><b:components><b:component type="application"><b:name>a tool</b:name></b:component></b:components></b:tools>
    <b:component type="container"><b:name>an image</b:name><b:version>1</b:version></b:component></b:metadata>
  <b:components>
    <b:component type="library"><b:name>libc6</b:name><b:version>2.36-9</b:version>
      <b:licenses><b:license><b:id>GPL-2.0-only</b:id></b:license><b:license><b:name><![CDATA[my & licence]]></b:name></b:license></b:licenses>
      <b:purl>pkg:deb/debian/libc6@2.36-9?arch=amd64&amp;distro=debian-12&amp;upstream=glibc</b:purl>
      <b:evidence><b:occurrences><b:occurrence><b:location>/var/lib/dpkg/status</b:location></b:occurrence></b:occurrences></b:evidence>
      <b:properties><b:property name="breakwater:third-party">true</b:property></b:properties>
      <b:components>
        <b:component type="library"><b:name>inner</b:name><b:version>1</b:version><b:purl>pkg:npm/inner@1</b:purl></b:component>
      </b:components>
    </b:component>
    <b:component type="operating-system"><b:name>debian</b:name><b:version>12.5</b:version></b:component>
  </b:components>
</b:bom>`;

const cycloneDx = (components: readonly object[], more: object = {}) =>
  Buffer.from(JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.6', components, ...more }));
const spdx = (packages: readonly object[], more: object = {}) =>
  Buffer.from(JSON.stringify({ spdxVersion: 'SPDX-2.3', SPDXID: 'SPDXRef-DOCUMENT', packages, ...more }));
const withPurl = (purl: string, more: object = {}) => ({
  name: 'a',
  externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl }],
  ...more,
});

describe('readSbom', () => {
  it('reads CycloneDX in XML', () => {
    expect(bom(Buffer.from(XML))).toEqual({
      format: 'cyclonedx',
      subject: { name: 'an image', version: '1' },
      distribution: { id: 'debian', version: '12', idLike: [], rolling: false },
      packages: [
        {
          type: 'deb',
          name: 'libc6',
          version: '2.36-9',
          arch: 'amd64',
          source: { name: 'glibc', version: '2.36-9' },
          licence: 'GPL-2.0-only AND my & licence',
          thirdParty: true,
          path: 'var/lib/dpkg/status',
        },
        { type: 'npm', name: 'inner', version: '1' },
      ],
      problems: [],
    });
  });

  it.each([
    ['upstream=gcc-12@12.2.0', 'deb', { name: 'gcc-12', version: '12.2.0' }],
    ['upstream=glibc-2.34-60.el9.src.rpm', 'rpm', { name: 'glibc', version: '2.34-60.el9' }],
    ['upstream=openssl', 'apk', { name: 'openssl', version: '1' }],
    ['upstream=a', 'apk', undefined],
    ['upstream=elsewhere', 'npm', undefined],
    ['upstream=nonsense', 'rpm', undefined],
  ])('finds the source of %s', (qualifier, type, source) => {
    const [pkg] = bom(spdx([withPurl(`pkg:${type}/x/a@1?${qualifier}`)])).packages;
    expect(pkg?.source).toEqual(source);
  });

  it.each([
    ['pkg:deb/debian/a@1?distro=debian-12', { id: 'debian', version: '12', rolling: false }],
    ['pkg:deb/debian/a@1?distro=debian-sid', { id: 'debian', rolling: true }],
    ['pkg:deb/debian/a@1?distro=bookworm', { id: 'bookworm' }],
    ['pkg:deb/ubuntu/a@1?distro=ubuntu-22.04', { id: 'ubuntu', version: '22.04' }],
    ['pkg:apk/alpine/a@1?distro=3.18.4', { id: 'alpine', version: '3.18.4' }],
    ['pkg:apk/wolfi/a@1?distro=wolfi-20230201', { id: 'wolfi', rolling: true }],
    ['pkg:rpm/redhat/a@1?distro=redhat-9.4', { id: 'rhel', version: '9.4' }],
    ['pkg:rpm/opensuse/a@1?distro=opensuse-leap-15.5', { id: 'opensuse-leap', version: '15.5' }],
    ['pkg:rpm/suse/a@1?distro=sles-15.3', { id: 'sles', version: '15.3' }],
    ['pkg:npm/a@1?distro=debian-12', undefined],
  ])('tells the system by %s', (purl, expected) => {
    const { distribution } = bom(spdx([withPurl(purl)]));
    if (expected) expect(distribution).toMatchObject(expected);
    else expect(distribution).toBeUndefined();
  });

  it('takes the system most packages are of, and says so', () => {
    const packages = ['debian-11', 'debian-12', 'debian-12'].map((distro) =>
      withPurl(`pkg:deb/debian/a@1?distro=${distro}`),
    );
    expect(bom(spdx(packages))).toMatchObject({
      distribution: { version: '12' },
      problems: ['its packages are of 2 systems: all are taken for debian 12'],
    });
  });

  it('reads what Breakwater writes beyond the standard', () => {
    const layer = `sha256:${'a'.repeat(64)}`;
    const sourceInfo = `built from glibc 2.36-9\nfound at var/lib/dpkg/status in layer ${layer} made by RUN apt-get install`;
    const found = bom(spdx([withPurl('pkg:deb/debian/libc6@2.36-9', { sourceInfo })]));
    expect(found.packages).toMatchObject([
      { source: { name: 'glibc', version: '2.36-9' }, path: 'var/lib/dpkg/status', layer },
    ]);
    const properties = Object.entries({
      'breakwater:layer:digest': layer,
      'breakwater:source:name': 'nodejs',
      'breakwater:source:version': '1:12-1',
      'breakwater:module': 'nodejs:12',
    }).map(([name, value]) => ({ name, value }));
    const component = { type: 'library', name: 'npm', purl: 'pkg:rpm/centos/npm@6-1', properties };
    expect(bom(cycloneDx([component])).packages).toMatchObject([
      { source: { name: 'nodejs', version: '1:12-1' }, module: 'nodejs:12', layer },
    ]);
  });

  it('gives texts for references to licences of the document', () => {
    const more = { hasExtractedLicensingInfos: [{ licenseId: 'LicenseRef-x', name: 'Do what you like' }] };
    const licensed = withPurl('pkg:npm/a@1', { licenseDeclared: 'LicenseRef-x AND LicenseRef-y' });
    expect(bom(spdx([licensed], more)).packages[0]?.licence).toBe('Do what you like AND LicenseRef-y');
  });

  it('counts what it leaves out', () => {
    const components = [
      { type: 'library', name: 'nameless' },
      { type: 'library', name: 'x', purl: 'pkg:github/a/b@1' },
      { type: 'library', name: 'x', purl: 'pkg:docker/a@1' },
      { type: 'library', name: 'x', purl: 'not a purl' },
      { type: 'file', name: 'a file' },
      { type: 'application', name: 'a lock file' },
      { type: 'library', name: 'good', purl: 'pkg:npm/good@1' },
    ];
    const sbom = bom(cycloneDx(components));
    expect(sbom.packages).toHaveLength(1);
    expect(sbom.problems).toEqual([
      '1 packages without a package URL were left out',
      '1 package URLs could not be understood',
      'packages of kinds that nobody advises on were left out: 1 github, 1 docker',
    ]);
  });

  it.each([
    ['nothing', '', 'it is neither JSON nor XML nor tag-value'],
    ['other JSON', '{"name":"a"}', 'it is JSON with neither bomFormat nor spdxVersion'],
    ['no JSON', '{"name":', 'it is damaged: its end is missing'],
    ['an array', '[{"bomFormat":"CycloneDX"}]', 'it is neither JSON nor XML nor tag-value'],
    [
      'SPDX 3',
      '{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[]}',
      'it is SPDX 3, which is not read',
    ],
    ['another version of SPDX', '{"spdxVersion":"SPDX-1.2"}', 'its spdxVersion is "SPDX-1.2"'],
    ['another format', '{"bomFormat":"Other"}', 'its bomFormat is "Other"'],
    ['another XML', '<project xmlns="http://maven.apache.org/POM/4.0.0"/>', 'its first element is <project>'],
    ['XML without elements', '<?xml version="1.0"?>', 'document must contain a root element'],
    ['broken XML', '<<', 'it is no well-formed XML'],
    ['text', 'bomFormat: CycloneDX', 'it is neither JSON nor XML nor tag-value'],
    ['bytes', '\0\x01\x02', 'it is neither JSON nor XML nor tag-value'],
  ])('refuses %s, and says why', (_what, text, why) => {
    expect(readSbom(Buffer.from(text))).toEqual({ refused: expect.stringContaining(why) });
  });
});

describe('readSbom on hostile documents', () => {
  it.each([
    [
      'a cut document',
      cycloneDx([{ type: 'library', name: 'a', purl: 'pkg:npm/a@1' }]).subarray(0, -2),
      /its end is missing/,
    ],
    ['two documents', Buffer.concat([cycloneDx([]), cycloneDx([])]), /or more follows/],
    ['a part that is no JSON', Buffer.from('{"bomFormat":"CycloneDX","components":[{"a":nul}]}'), /no JSON/],
    ['a huge part', cycloneDx([{ name: 'x'.repeat(5_000_000) }]), /larger than is read/],
    ['entities nobody declared', Buffer.from(XML.replace('an image', '&lol;')), /no well-formed XML/],
    ['deep XML', Buffer.from(XML.replace('<b:metadata>', '<b:x>'.repeat(300))), /nested deeper/],
  ])('finds a problem in %s', (_what, bytes, problem) => {
    expect(bom(bytes).problems[0]).toMatch(problem);
  });

  it.each([
    ['before the root', XML.replace('<b:bom', '<!DOCTYPE b><b:bom')],
    ['with entities', XML.replace('<b:bom', '<!DOCTYPE b [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><b:bom')],
    ['behind packages', XML.replace('</b:bom>', '<!DOCTYPE x></b:bom>')],
  ])('takes nothing from a document with a document type %s', (_where, text) => {
    expect(readSbom(Buffer.from(text))).toEqual({ refused: expect.stringContaining('DOCTYPE') });
  });

  it.each([
    ['components', '{"bomFormat":"CycloneDX","components":[],"components":[{"purl":"pkg:npm/a@1"}]}'],
    ['bomFormat', '{"bomFormat":"other","bomFormat":"CycloneDX"}'],
    ['packages', '{"spdxVersion":"SPDX-2.3","packages":[],"packages":[]}'],
    ['components', '{"predicate":{"bomFormat":"CycloneDX","components":[],"components":[]}}'],
  ])('refuses a document that has %s twice, which every reader takes differently', (name, text) => {
    expect(readSbom(Buffer.from(text))).toEqual({ refused: `it has the member "${name}" twice` });
  });

  it('says that it left out what is nested too deep', () => {
    const nested = (levels: number): object => ({
      type: 'library',
      name: `a${levels}`,
      purl: `pkg:npm/a${levels}@1`,
      ...(levels === 0 ? {} : { components: [nested(levels - 1)] }),
    });
    expect(bom(cycloneDx([nested(64)]))).toMatchObject({ packages: { length: 65 }, problems: [] });
    expect(bom(cycloneDx([nested(70)]))).toMatchObject({
      packages: { length: 65 },
      problems: ['components nested more than 64 levels deep were left out'],
    });
  });

  it('survives depth', () => {
    const deep = '{"type":"library","components":['.repeat(20_000);
    const text = `{"bomFormat":"CycloneDX","components":[${deep}${']}'.repeat(20_000)}]}`;
    expect(bom(Buffer.from(text))).toMatchObject({ packages: [] });
    const brackets = `{"bomFormat":"CycloneDX","x":${'['.repeat(1_000_000)}`;
    expect(bom(Buffer.from(brackets)).problems).toHaveLength(1);
  });

  it('keeps keys that mean something to JavaScript apart', () => {
    const text =
      '{"bomFormat":"CycloneDX","__proto__":{"components":[]},"components":[{"__proto__":{"purl":"pkg:npm/a@1"}}]}';
    expect(bom(Buffer.from(text)).packages).toEqual([]);
    expect(Object.prototype).not.toHaveProperty('purl');
    const xml = XML.replace('<b:name>inner</b:name>', '<b:__proto__><b:purl>x</b:purl></b:__proto__><b:constructor/>');
    expect(bom(Buffer.from(xml)).packages).toHaveLength(2);
  });

  const files = readdirSync(TESTDATA).filter((name) => name !== 'README.md');
  const originals = [...files.map((name) => readFileSync(join(TESTDATA, name))), Buffer.from(XML)];
  it('never throws for changed documents', () => {
    const where = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      '\\',
      ',',
      ':',
      '<',
      '>',
      '&',
      '\n',
      '\0',
      '</text>',
      '<!--',
      ']]>',
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...originals),
        fc.array(fc.tuple(where, fc.nat(40), piece), { minLength: 1, maxLength: 6 }),
        (original, changes) => {
          let bytes = original;
          for (const [place, removed, inserted] of changes) {
            const at = Math.floor(place * bytes.length);
            bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(inserted), bytes.subarray(at + removed)]);
          }
          readSbom(bytes);
        },
      ),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.json(), (text) => void readSbom(Buffer.from(`{"spdxVersion":"SPDX-2.3","packages":${text}}`))),
    );
  });
});
