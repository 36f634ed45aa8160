import type { Distribution } from '../model/inventory.ts';
import type { StatedPackage } from './model.ts';

/** Vendor of the package manager where the image does not say which distribution it is. */
const VENDORS = { apk: 'alpine', deb: 'debian' } as const;

/** Package URL in canonical form (ECMA-427): type, vendor or scope, name, version, then qualifiers in order. */
export function packageUrl(pkg: StatedPackage, distribution: Distribution | undefined): string {
  if (pkg.type === 'npm') return `pkg:npm/${npmName(pkg.name)}@${encode(pkg.version)}`;
  const vendor = encode(distribution?.id ?? VENDORS[pkg.type]);
  const qualifiers = [
    ...(pkg.arch === undefined ? [] : [`arch=${encode(pkg.arch)}`]),
    ...(distribution?.version === undefined ? [] : [`distro=${encode(`${distribution.id}-${distribution.version}`)}`]),
  ].join('&');
  return `pkg:${pkg.type}/${vendor}/${encode(pkg.name)}@${encode(pkg.version)}${qualifiers && `?${qualifiers}`}`;
}

/** The scope is a namespace of its own, its `@` written as `%40`. */
function npmName(name: string): string {
  return name.toLowerCase().split('/').map(encode).join('/');
}

/** Percent-encoding of everything but letters, digits, `. - _ ~` and the colon. */
function encode(text: string): string {
  return encodeURIComponent(text)
    .replace(/%3A/g, ':')
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
