import { listOf, memberOf, textOf } from '../foreign-json.ts';
import type { SbomCollector } from './collect.ts';
import { type SourcePackage, sourceOfFileName } from './source-package.ts';
import type { SbomItem } from './types.ts';

const SYSTEM = 'operating-system';
const PACKAGES: ReadonlySet<string> = new Set(['framework', 'library', 'platform']);
/** Lock files and programs as well as packages: only those with a package URL are the latter. */
const APPLICATION = 'application';
const DEEPEST = 64;

/**
 * A component of CycloneDX 1.2 to 1.7 (JSON form) and those inside it. Beyond the standard the properties of Breakwater, Syft
 * and Trivy for layer, path, source package and module stream are understood.
 */
export function* itemsOfComponent(
  component: unknown,
  collector: Pick<SbomCollector, 'problem'>,
  subject = false,
): Generator<SbomItem> {
  const waiting: { readonly value: unknown; readonly depth: number }[] = [{ value: component, depth: 0 }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { value, depth } = next;
    if (typeof value !== 'object' || value === null) continue;
    yield itemOf(value, subject && depth === 0);
    const inner = listOf(memberOf(value, 'components'));
    if (depth >= DEEPEST && inner.length > 0) {
      collector.problem(`components nested more than ${DEEPEST} levels deep were left out`);
      continue;
    }
    for (let at = inner.length - 1; at >= 0; at -= 1) waiting.push({ value: inner[at], depth: depth + 1 });
  }
}

function itemOf(component: object, subject: boolean): SbomItem {
  const type = textOf(memberOf(component, 'type')) ?? 'library';
  const properties = propertiesOf(component);
  const property = (...names: readonly string[]) => names.map((name) => properties.get(name)).find(Boolean);
  const system = type === SYSTEM;
  const purl = textOf(memberOf(component, 'purl'));
  const isPackage = PACKAGES.has(type) || (type === APPLICATION && purl !== undefined);
  return {
    kind: system ? 'system' : isPackage ? 'package' : 'other',
    subject,
    name: (system && property('syft:distro:id')) || textOf(memberOf(component, 'name')),
    version: (system && property('syft:distro:versionID')) || textOf(memberOf(component, 'version')),
    description: property('syft:distro:prettyName') ?? textOf(memberOf(component, 'description')),
    purl,
    licence: licenceOf(component),
    path: pathOf(component) ?? property('syft:location:0:path', 'aquasecurity:trivy:FilePath')?.replace(/^\/+/, ''),
    layer: property(
      'breakwater:layer:digest',
      'aquasecurity:trivy:LayerDigest',
      'syft:location:0:layerID',
      'aquasecurity:trivy:LayerDiffID',
    ),
    source: sourceOf(properties),
    module: property('breakwater:module', 'aquasecurity:trivy:Modularitylabel', 'syft:metadata:modularityLabel')
      ?.split(':', 2)
      .join(':'),
    thirdParty: property('breakwater:third-party') === 'true',
  };
}

function propertiesOf(component: object): ReadonlyMap<string, string> {
  const properties = new Map<string, string>();
  for (const property of listOf(memberOf(component, 'properties'))) {
    const name = textOf(memberOf(property, 'name'));
    const value = textOf(memberOf(property, 'value'));
    if (name !== undefined && value !== undefined && !properties.has(name)) properties.set(name, value);
  }
  return properties;
}

function pathOf(component: object): string | undefined {
  const [first] = listOf(memberOf(memberOf(component, 'evidence'), 'occurrences'));
  return textOf(memberOf(first, 'location'))?.replace(/^\/+/, '');
}

/** Expressions and single licences, joined as SPDX expressions are: all of them hold. */
function licenceOf(component: object): string | undefined {
  const texts = listOf(memberOf(component, 'licenses')).flatMap((choice) => {
    const licence = memberOf(choice, 'license');
    const text =
      textOf(memberOf(choice, 'expression')) ?? textOf(memberOf(licence, 'id')) ?? textOf(memberOf(licence, 'name'));
    return text ?? [];
  });
  return texts.length === 0 ? undefined : texts.join(' AND ');
}

function sourceOf(properties: ReadonlyMap<string, string>): SourcePackage | undefined {
  const ours = properties.get('breakwater:source:name');
  if (ours !== undefined) return { name: ours, version: properties.get('breakwater:source:version') ?? '' };
  const trivy = properties.get('aquasecurity:trivy:SrcName');
  if (trivy !== undefined) return { name: trivy, version: versionOfTrivy(properties) };
  const rpm = properties.get('syft:metadata:sourceRpm');
  return rpm === undefined ? undefined : sourceOfFileName(rpm);
}

/** Trivy writes the parts of a source package's version apart. */
function versionOfTrivy(properties: ReadonlyMap<string, string>): string {
  const part = (name: string) => properties.get(`aquasecurity:trivy:${name}`) ?? '';
  const [epoch, version, release] = [part('SrcEpoch'), part('SrcVersion'), part('SrcRelease')];
  return `${epoch && epoch !== '0' ? `${epoch}:` : ''}${version}${release && `-${release}`}`;
}
