import { createHash } from 'node:crypto';
import { algorithmOf, hexOf } from '../../oci/digest.ts';
import { toRfc3339 } from '../../platform/clock.ts';
import { oneLine } from '../../platform/one-line.ts';
import { documentUrn } from './document-id.ts';
import { imagePurl } from './image-purl.ts';
import type { SbomInput, SbomSubject } from './input.ts';
import { readLicence } from './licence.ts';
import { type ListedPackage, listedPackages } from './listed-packages.ts';
import { supplierOf } from './supplier.ts';

const ROOT = 'SPDXRef-Root';
const SYSTEM = 'SPDXRef-OperatingSystem';
const UNKNOWN = 'NOASSERTION';
const PURPOSES = { image: 'CONTAINER', folder: 'FILE', document: 'OTHER' } as const;

/** What every package of a document has to say, known or not. */
const NOTHING_SAID = {
  downloadLocation: UNKNOWN,
  filesAnalyzed: false,
  licenseConcluded: UNKNOWN,
  licenseDeclared: UNKNOWN,
  copyrightText: UNKNOWN,
} as const;

/**
 * The inventory as an SPDX 2.3 document (JSON form). The name space depends on the content alone; the time is in
 * `creationInfo`.
 */
export function spdxDocument(input: SbomInput): object {
  const { subject, inventory, version, now } = input;
  const packages = listedPackages(inventory);
  const licences = new Map<string, string>();
  const content = {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: subject.name || UNKNOWN,
    ...(inventory.complete ? {} : { comment: `Not everything could be read: ${inventory.gaps[0]?.message ?? ''}` }),
    packages: [
      rootPackage(subject),
      ...systemPackage(input),
      ...packages.map((listed) => spdxPackage(listed, input, licences)),
    ],
    relationships: [
      { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: ROOT },
      ...(inventory.distribution ? [contained(SYSTEM)] : []),
      ...packages.map((listed) => contained(idOf(listed))),
    ],
    ...(licences.size === 0 ? {} : { hasExtractedLicensingInfos: [...licences].map(extracted) }),
  };
  return {
    ...content,
    documentNamespace: documentUrn(content),
    creationInfo: { created: toRfc3339(now), creators: [`Tool: breakwater-${version}`], licenseListVersion: '3.29' },
  };
}

function rootPackage(subject: SbomSubject) {
  const { kind, name, digest } = subject;
  const purl = imagePurl(subject);
  return {
    SPDXID: ROOT,
    name: name || UNKNOWN,
    ...NOTHING_SAID,
    primaryPackagePurpose: PURPOSES[kind],
    ...(digest === undefined
      ? {}
      : {
          versionInfo: digest,
          checksums: [{ algorithm: algorithmOf(digest).toUpperCase(), checksumValue: hexOf(digest) }],
        }),
    ...(purl === undefined ? {} : { externalRefs: [purlReference(purl)] }),
  };
}

function systemPackage({ inventory: { distribution } }: SbomInput) {
  if (!distribution) return [];
  const { id, version, prettyName } = distribution;
  return [
    {
      SPDXID: SYSTEM,
      name: id,
      ...(version === undefined ? {} : { versionInfo: version }),
      ...(prettyName === undefined ? {} : { description: prettyName }),
      ...NOTHING_SAID,
      primaryPackagePurpose: 'OPERATING_SYSTEM',
    },
  ];
}

function spdxPackage(listed: ListedPackage, { inventory }: SbomInput, licences: Map<string, string>) {
  const { pkg, purl } = listed;
  const supplier = supplierOf(pkg, inventory.distribution);
  return {
    SPDXID: idOf(listed),
    name: pkg.name || UNKNOWN,
    ...(pkg.version === '' ? {} : { versionInfo: pkg.version }),
    ...NOTHING_SAID,
    licenseDeclared: declaredLicence(pkg.licence, licences),
    supplier: supplier === undefined ? UNKNOWN : `Organization: ${supplier}`,
    sourceInfo: sourceInfo(listed),
    ...(purl === '' ? {} : { externalRefs: [purlReference(purl)] }),
  };
}

/** A licence the list does not know gets an identifier of this document, and its text is kept beside. */
function declaredLicence(text: string | undefined, licences: Map<string, string>): string {
  const licence = readLicence(text);
  if (licence === undefined) return UNKNOWN;
  switch (licence.kind) {
    case 'id':
      return licence.id;
    case 'expression':
      return licence.expression;
    default: {
      const id = `LicenseRef-${slug(licence.name, 40)}${hash(licence.name).slice(0, 8)}`;
      licences.set(id, licence.name);
      return id;
    }
  }
}

function extracted([licenseId, text]: readonly [string, string]) {
  return { licenseId, name: text, extractedText: text };
}

/**
 * `built from openssl 3.0.11-1`, `found at lib/apk/db/installed in layer sha256:… made by RUN …`, one line for each fact: what
 * images hold makes no lines of its own.
 */
function sourceInfo({ pkg: { source, thirdParty }, places }: ListedPackage): string {
  const found = places.map(({ path, layer, step }) =>
    [
      `found at ${path}`,
      ...(layer === undefined ? [] : [`in layer ${layer}`]),
      ...(step === undefined ? [] : [`made by ${step}`]),
    ].join(' '),
  );
  return [
    ...(source === undefined ? [] : [`built from ${source.name} ${source.version}`]),
    ...(thirdParty === undefined ? [] : ['not built by the distribution']),
    ...found,
  ]
    .map(oneLine)
    .join('\n');
}

function contained(id: string) {
  return { spdxElementId: ROOT, relationshipType: 'CONTAINS', relatedSpdxElement: id };
}

function purlReference(purl: string) {
  return { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl };
}

function idOf({ key, pkg }: ListedPackage): string {
  return `SPDXRef-Package-${pkg.type}-${slug(pkg.name, 60)}${key}`;
}

/** Letters, digits, dots and dashes of a text, with a dash behind them; empty when there are none. */
function slug(text: string, longest: number): string {
  const plain = text
    .slice(0, longest)
    .replace(/[^A-Za-z0-9.]+/g, '-')
    .replace(/^-|-$/g, '');
  return plain && `${plain}-`;
}

function hash(text: string): string {
  return createHash('sha256').update(text.toWellFormed()).digest('hex');
}
