import { type Distribution, type PackageType, SYSTEM_PACKAGE_TYPES } from '../model/inventory.ts';
import type { StatedPackage } from './model.ts';

/** Vendor of the package manager where the image does not say which distribution it is. */
const VENDORS: Readonly<Partial<Record<PackageType, string>>> = { alpm: 'arch', apk: 'alpine', deb: 'debian' };
/** Vendors whose name in package URLs is not the ID of their system: so their own statements (CSAF, OSV) write it. */
const RPM_VENDORS: ReadonlyMap<string, string> = new Map([
  ['rhel', 'redhat'],
  ['opensuse-leap', 'opensuse'],
  ['opensuse-tumbleweed', 'opensuse'],
  ['sled', 'suse'],
  ['sles', 'suse'],
  ['sles_sap', 'suse'],
  ['sl-micro', 'suse'],
  ['sle-micro', 'suse'],
]);
/** Types whose names do not depend on case (package URL types, `case_sensitive: false`). */
const LOWER_CASE: ReadonlySet<PackageType> = new Set([
  'alpm',
  'apk',
  'bitnami',
  'composer',
  'deb',
  'hex',
  'npm',
  'pypi',
]);
/** Types whose names may have slashes: what stands before the last one is the namespace. */
const WITH_NAMESPACE: ReadonlySet<PackageType> = new Set(['composer', 'golang', 'npm', 'swift']);

/** Package URL in canonical form (ECMA-427): type, vendor or scope, name, version, then qualifiers in order. */
export function packageUrl(pkg: StatedPackage, distribution: Distribution | undefined): string {
  const { type } = pkg;
  const { epoch, version } = type === 'rpm' ? withoutEpoch(pkg.version) : { epoch: undefined, version: pkg.version };
  const path = [...vendorOf(type, distribution), ...namesOf(pkg)].map(encode).join('/');
  const qualifiers = SYSTEM_PACKAGE_TYPES.has(type) ? systemQualifiers(pkg, distribution, epoch) : '';
  return `pkg:${type}/${path}${version && `@${encode(version)}`}${qualifiers && `?${qualifiers}`}`;
}

function vendorOf(type: PackageType, distribution: Distribution | undefined): readonly string[] {
  if (!SYSTEM_PACKAGE_TYPES.has(type)) return [];
  const vendor = distribution?.id ?? VENDORS[type];
  if (vendor === undefined) return [];
  return [type === 'rpm' ? (RPM_VENDORS.get(vendor) ?? vendor) : vendor];
}

function namesOf({ type, name }: StatedPackage): readonly string[] {
  const spelt = LOWER_CASE.has(type) ? name.toLowerCase() : name;
  if (type === 'maven') return spelt.split(':', 2);
  if (type === 'pypi') return [spelt.replaceAll('_', '-')];
  return WITH_NAMESPACE.has(type) ? spelt.split('/') : [spelt];
}

function systemQualifiers(
  { arch, module }: StatedPackage,
  distribution: Distribution | undefined,
  epoch: string | undefined,
): string {
  return [
    ...(arch === undefined ? [] : [`arch=${encode(arch)}`]),
    ...(distribution?.version === undefined ? [] : [`distro=${encode(`${distribution.id}-${distribution.version}`)}`]),
    ...(epoch === undefined ? [] : [`epoch=${encode(epoch)}`]),
    ...(module === undefined ? [] : [`rpmmod=${encode(module)}`]),
  ].join('&');
}

function withoutEpoch(text: string): { readonly epoch: string | undefined; readonly version: string } {
  const colon = text.indexOf(':');
  return colon < 0
    ? { epoch: undefined, version: text }
    : { epoch: text.slice(0, colon), version: text.slice(colon + 1) };
}

/** Percent-encoding of everything but letters, digits, `. - _ ~` and the colon. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replace(/%3A/g, ':')
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
