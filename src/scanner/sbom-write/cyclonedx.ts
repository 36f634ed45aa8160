import type { Package } from '../../model/inventory.ts';
import { algorithmOf, hexOf } from '../../oci/digest.ts';
import { toRfc3339 } from '../../platform/clock.ts';
import { shortVersion, vulnerabilities } from './cyclonedx-vulnerabilities.ts';
import { documentUrn } from './document-id.ts';
import { imagePurl } from './image-purl.ts';
import type { SbomInput, SbomSubject } from './input.ts';
import { readLicence } from './licence.ts';
import { identityOf, type ListedPackage, listedPackages } from './listed-packages.ts';
import { supplierOf } from './supplier.ts';

interface Property {
  readonly name: string;
  readonly value: string;
}

const SYSTEM = 'operating-system';
const KINDS = { image: 'container', folder: 'file', document: 'application' } as const;
const MOST_GAPS = 100;

/**
 * The inventory, and what was found in it, as a CycloneDX 1.6 bill of materials (JSON form). The serial number depends on
 * the content alone; the time is in `metadata`.
 */
export function cycloneDxBom(input: SbomInput): object {
  const { subject, inventory, version, now, findings } = input;
  const packages = listedPackages(inventory);
  const refs = referencesOf(packages);
  const root = rootComponent(subject);
  const system = systemComponent(input);
  const all = [...system.map((component) => component['bom-ref']), ...packages.map(({ key }) => refs.get(key) ?? key)];
  const byIdentity = new Map(packages.map(({ key, pkg }) => [identityOf(pkg), refs.get(key) ?? key]));
  const content = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      tools: { components: [{ type: 'application', name: 'breakwater', version }] },
      component: root,
      properties: analysisProperties(input),
    },
    components: [...system, ...packages.map((listed) => component(listed, refs.get(listed.key) ?? listed.key, input))],
    dependencies: [{ ref: root['bom-ref'], dependsOn: all }, ...all.map((ref) => ({ ref }))],
    compositions: [{ aggregate: inventory.complete ? 'unknown' : 'incomplete', assemblies: [root['bom-ref']] }],
    ...(findings ? { vulnerabilities: vulnerabilities(findings, (pkg) => byIdentity.get(identityOf(pkg))) } : {}),
  };
  const { metadata, ...rest } = content;
  return {
    ...rest,
    serialNumber: documentUrn(content),
    metadata: { timestamp: toRfc3339(now), ...metadata },
  };
}

/** The package URL where it stands for one package alone. */
function referencesOf(packages: readonly ListedPackage[]): ReadonlyMap<string, string> {
  const used = new Set(['', 'root', SYSTEM]);
  return new Map(
    packages.map(({ key, purl }) => {
      const ref = used.has(purl) ? `package-${key}` : purl;
      used.add(ref);
      return [key, ref];
    }),
  );
}

function rootComponent(subject: SbomSubject) {
  const { kind, name, digest } = subject;
  const purl = imagePurl(subject);
  return {
    'bom-ref': 'root',
    type: KINDS[kind],
    name,
    ...(digest === undefined
      ? {}
      : {
          version: digest,
          hashes: [{ alg: algorithmOf(digest) === 'sha256' ? 'SHA-256' : 'SHA-512', content: hexOf(digest) }],
        }),
    ...(purl === undefined ? {} : { purl }),
  };
}

function systemComponent({ inventory: { distribution } }: SbomInput) {
  if (!distribution) return [];
  const { id, version, prettyName } = distribution;
  return [
    {
      'bom-ref': SYSTEM,
      type: 'operating-system',
      name: id,
      ...(version === undefined ? {} : { version: shortVersion(version) }),
      ...(prettyName === undefined ? {} : { description: prettyName }),
    },
  ];
}

function component(listed: ListedPackage, ref: string, { inventory }: SbomInput) {
  const { pkg, purl, places } = listed;
  const supplier = supplierOf(pkg, inventory.distribution);
  const properties = packageProperties(listed);
  return {
    'bom-ref': ref,
    type: pkg.type === 'generic' ? 'application' : 'library',
    ...(supplier === undefined ? {} : { supplier: { name: supplier } }),
    ...namesOf(pkg),
    ...(pkg.version === '' ? {} : { version: shortVersion(pkg.version) }),
    ...licencesOf(pkg.licence),
    ...(purl === '' ? {} : { purl }),
    evidence: {
      occurrences: places.map(({ path, layer }) => ({
        location: path,
        ...(layer === undefined ? {} : { additionalContext: `layer ${layer}` }),
      })),
    },
    ...(properties.length === 0 ? {} : { properties }),
  };
}

/** Types whose names have a group of their own in CycloneDX, and what stands behind it. */
const SEPARATORS: Readonly<Partial<Record<Package['type'], string>>> = { composer: '/', maven: ':', npm: '/' };

function namesOf({ type, name }: Package): { readonly group?: string; readonly name: string } {
  const separator = SEPARATORS[type];
  const at = separator === undefined ? -1 : name.indexOf(separator);
  return at <= 0 ? { name } : { group: name.slice(0, at), name: name.slice(at + 1) };
}

function licencesOf(text: string | undefined) {
  const licence = readLicence(text);
  if (licence === undefined) return {};
  switch (licence.kind) {
    case 'id':
      return { licenses: [{ license: { id: licence.id } }] };
    case 'expression':
      return { licenses: [{ expression: licence.expression }] };
    default:
      return { licenses: [{ license: { name: licence.name } }] };
  }
}

function packageProperties({ pkg, places }: ListedPackage): readonly Property[] {
  const { source, module, thirdParty } = pkg;
  return [
    ...unique(places.flatMap(({ layer }) => layer ?? [])).map((value) => property('layer:digest', value)),
    ...unique(places.flatMap(({ step }) => step ?? [])).map((value) => property('layer:step', value)),
    ...(source === undefined ? [] : [property('source:name', source.name), property('source:version', source.version)]),
    ...(module === undefined ? [] : [property('module', module)]),
    ...(thirdParty === undefined ? [] : [property('third-party', 'true')]),
  ];
}

function analysisProperties({ inventory: { analyser, complete, gaps } }: SbomInput): readonly Property[] {
  return [
    property('analyser', analyser),
    property('complete', String(complete)),
    ...gaps.slice(0, MOST_GAPS).map(({ message }) => property('not-seen', message)),
    ...(gaps.length > MOST_GAPS ? [property('not-seen', `and ${gaps.length - MOST_GAPS} more things`)] : []),
  ];
}

function property(name: string, value: string): Property {
  return { name: `breakwater:${name}`, value };
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}
