import { PACKAGE_TYPES, type PackageType } from '../../../src/model/inventory.ts';
import { type ListedPackage, listed } from '../facts.ts';

/** The package a tool means by a package URL; undefined for types that nobody here lists. */
export function packageOfPurl(purl: string): ListedPackage | undefined {
  const match = /^pkg:([a-z]+)\/([^@?#]+)(?:@([^?#]*))?(?:\?([^#]*))?/.exec(purl);
  const type = PACKAGE_TYPES.find((one) => one === match?.[1]);
  if (!match || !type) return undefined;
  const parts = (match[2] ?? '').split('/').map(decodeURIComponent);
  const epoch = new URLSearchParams(match[4] ?? '').get('epoch');
  const version = decodeURIComponent(match[3] ?? '');
  return listed(type, nameOf(type, parts), epoch && !version.includes(':') ? `${epoch}:${version}` : version);
}

function nameOf(type: PackageType, parts: readonly string[]): string {
  if (type === 'maven') return parts.join(':');
  if (type === 'golang' || type === 'npm' || type === 'composer' || type === 'swift') return parts.join('/');
  return parts.at(-1) ?? '';
}
