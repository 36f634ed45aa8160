import type { Package } from '../../model/inventory.ts';
import { normaliseRegistry } from '../../oci/reference.ts';
import { isImageType } from './product.ts';
import { isInstance, type PurlPattern, parsePattern, speaksOf } from './purl-pattern.ts';
import type { VexProduct, VexSubject } from './types.ts';

/** How a product of a statement and a package of an image go together. */
export type ProductMatch =
  /** It is about the image, as a whole or about this component of it. */
  | 'image'
  /** It is about the package, or about this component of another package of the image. */
  | 'package'
  /** About something that is neither the image nor in it. */
  | 'other-product'
  /** About another component of the image or package. */
  | 'other-component'
  /** About this package, in another version. */
  | 'other-version';

/** True when it is about a package of the image. */
export function isMatch(match: ProductMatch): match is 'image' | 'package' {
  return match === 'image' || match === 'package';
}

/**
 * Tells whether a product of a statement is a package of the image: the image itself (as a whole or this component of it),
 * the package, or this component of another package of the image; and if not, why. What has a digest is known by it alone.
 */
export function createProductMatch(subject: VexSubject): (product: VexProduct, pkg: Package) => ProductMatch {
  const digests = new Set<string>(subject.digests);
  const images = subject.names.map(imageName);
  let installed: readonly PurlPattern[] | undefined;

  function isImage({ digests: stated, purls, names }: VexProduct): boolean {
    if (stated.length > 0) return stated.some((digest) => digests.has(digest));
    return (
      names.some((name) => images.some((image) => isCalled(image, imageName(name)))) ||
      purls.some((purl) => isImageType(purl.type) && images.some((image) => isImagePurl(image, purl)))
    );
  }

  function isInstalled(pattern: PurlPattern): boolean {
    installed ??= subject.purls.flatMap((purl) => parsePattern(purl) ?? []);
    return installed.some((known) => isInstance(pattern, known));
  }

  return (product, pkg) => {
    const { components, purls } = product;
    if (isImage(product)) return components.length === 0 ? 'image' : among(components, pkg, 'image');
    const packages = purls.filter(({ type }) => !isImageType(type));
    if (components.length === 0) {
      const match = among(packages, pkg, 'package');
      return match === 'other-component' ? 'other-product' : match;
    }
    return packages.some(isInstalled) ? among(components, pkg, 'package') : 'other-product';
  };
}

/** Whether one of the patterns speaks of the package; `as` when it does. */
function among(patterns: readonly PurlPattern[], pkg: Package, as: 'image' | 'package'): ProductMatch {
  if (patterns.some((pattern) => speaksOf(pattern, pkg))) return as;
  const anyVersion = patterns.some(
    ({ version, ...pattern }) => version !== undefined && speaksOf({ ...pattern, qualifiers: sourceOf(pattern) }, pkg),
  );
  return anyVersion ? 'other-version' : 'other-component';
}

/** Of the qualifiers only what tells a source package. */
function sourceOf({ qualifiers }: Omit<PurlPattern, 'version'>): ReadonlyMap<string, string> {
  const arch = qualifiers.get('arch');
  return new Map(arch === 'source' || arch === 'src' ? [['arch', arch]] : []);
}

/** A reference in parts; the registry only where the text has one. */
interface ImageName {
  readonly path: string;
  readonly tag?: string;
}

function imageName(text: string): ImageName {
  const [named = ''] = text.split('@', 1);
  const colon = named.lastIndexOf(':');
  const tagged = colon > named.lastIndexOf('/');
  const path = withRegistry(tagged ? named.slice(0, colon) : named);
  return { path, ...(tagged ? { tag: named.slice(colon + 1) } : {}) };
}

function withRegistry(path: string): string {
  const [host = '', ...rest] = path.split('/');
  const isHost = rest.length > 0 && (/[.:]/.test(host) || host === 'localhost');
  return isHost ? [normaliseRegistry(host), ...rest].join('/') : path;
}

/** Called by its whole name or by the end of it, `team/app` or `app` for `registry.example.com/team/app`. */
function isCalled(image: ImageName, name: ImageName): boolean {
  if (name.path === '' || (name.tag !== undefined && name.tag !== image.tag)) return false;
  return image.path === name.path || image.path.endsWith(`/${name.path}`);
}

/** `pkg:oci/app?repository_url=registry.example.com/team/app&tag=1.2`; the address with or without the name at its end. */
function isImagePurl(image: ImageName, { path, version, qualifiers }: PurlPattern): boolean {
  const tag = qualifiers.get('tag') ?? version;
  if (tag !== undefined && tag !== image.tag) return false;
  const address = qualifiers.get('repository_url');
  if (address === undefined) return isCalled(image, { path });
  const full = withRegistry(address.replace(/^https?:\/\//, '').replace(/\/$/, ''));
  return image.path === full || image.path === `${full}/${path}`;
}
