import { PACKAGE_TYPES, type PackageType } from '../../model/inventory.ts';
import type { StatedPackage } from '../model.ts';
import type { PurlParts } from '../parse-purl.ts';

const TYPES: ReadonlyMap<string, PackageType> = new Map(PACKAGE_TYPES.map((type) => [type, type]));
/** Types whose name in OSV has the namespace before it, and what stands between. */
const JOINED: ReadonlyMap<PackageType, string> = new Map([
  ['composer', '/'],
  ['golang', '/'],
  ['hex', '/'],
  ['maven', ':'],
  ['npm', '/'],
  ['swift', '/'],
]);
const EPOCH = /^\d+:/;
/** `gem install` appends the platform to the version; package URLs have a qualifier for it, some writers do not use it. */
const GEM_PLATFORM = /-(?:x86|x64|aarch64|arm|java|jruby|universal|mswin|mingw|powerpc|i[36]86).*$/;

/**
 * The package a package URL stands for, its name as OSV writes it: the inverse of `packageUrl`. Undefined for types that are
 * no `PackageType`. `version` counts where the package URL has none.
 */
export function packageOfPurl(parts: PurlParts, version = ''): StatedPackage | undefined {
  const type = TYPES.get(parts.type);
  if (type === undefined) return undefined;
  const { qualifiers } = parts;
  const arch = qualifiers.get('arch');
  const module = qualifiers.get('rpmmod') ?? qualifiers.get('modularitylabel');
  return {
    type,
    name: nameOf(type, parts),
    version: versionOf(type, parts.version ?? version, qualifiers.get('epoch')),
    ...(arch === undefined ? {} : { arch }),
    ...(type === 'rpm' && module !== undefined ? { module: streamOf(module) } : {}),
  };
}

function nameOf(type: PackageType, { namespace, name }: PurlParts): string {
  const separator = JOINED.get(type);
  return namespace === undefined || separator === undefined ? name : `${namespace}${separator}${name}`;
}

function versionOf(type: PackageType, version: string, epoch: string | undefined): string {
  if (type === 'gem') return version.replace(GEM_PLATFORM, '');
  if ((type !== 'rpm' && type !== 'deb') || epoch === undefined || !/^\d+$/.test(epoch)) return version;
  return EPOCH.test(version) ? version : `${epoch}:${version}`;
}

/** A label `nodejs:12:8030020201124152102:229f0a1c` names build and context as well: the stream is its first two parts. */
function streamOf(label: string): string {
  return label.split(':', 2).join(':');
}
