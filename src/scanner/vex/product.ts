import { type Digest, tryParseDigest } from '../../oci/digest.ts';
import { asObject } from './json.ts';
import { type PurlPattern, parsePattern } from './purl-pattern.ts';
import type { VexProduct } from './types.ts';

const ALGORITHMS: ReadonlyMap<string, string> = new Map([
  ['sha256', 'sha256'],
  ['sha-256', 'sha256'],
  ['sha512', 'sha512'],
  ['sha-512', 'sha512'],
]);

/** A product from the identifiers a document gives it: package URLs, digests, names of images. */
export function productOf(
  identifiers: readonly string[],
  digests: readonly Digest[],
  components: readonly PurlPattern[],
): VexProduct {
  const purls = identifiers.flatMap((text) => parsePattern(text) ?? []);
  return {
    digests: [...new Set([...digests, ...identifiers.flatMap(digestIn), ...purls.flatMap(digestOfPurl)])],
    purls,
    // An address of a page about the product names no image.
    names: identifiers.filter(
      (text) => !text.startsWith('pkg:') && !/^[a-z][a-z0-9+.-]*:(?:\/\/|uuid:|cdx:)/i.test(text),
    ),
    components,
  };
}

/** The digests among hashes by algorithm: `{"sha-256": "…"}`. */
export function digestsOf(hashes: unknown): readonly Digest[] {
  return Object.entries(asObject(hashes) ?? {}).flatMap(([name, value]) => digestFromHash(name, value));
}

/** The digest of a hash and the name of its algorithm, however it is spelt. */
export function digestFromHash(name: unknown, value: unknown): readonly Digest[] {
  const algorithm = typeof name === 'string' ? ALGORITHMS.get(name.toLowerCase()) : undefined;
  const digest =
    algorithm !== undefined && typeof value === 'string'
      ? tryParseDigest(`${algorithm}:${value.toLowerCase()}`)
      : undefined;
  return digest === undefined ? [] : [digest];
}

/** `sha256:…` itself, or behind the @ of a reference. */
function digestIn(text: string): readonly Digest[] {
  if (text.startsWith('pkg:')) return [];
  const digest = tryParseDigest(text.slice(text.lastIndexOf('@') + 1));
  return digest === undefined ? [] : [digest];
}

/** Images have their digest for a version. */
function digestOfPurl({ type, version = '' }: PurlPattern): readonly Digest[] {
  const digest = isImageType(type) ? tryParseDigest(version) : undefined;
  return digest === undefined ? [] : [digest];
}

/** Types of package URLs that stand for images. */
export function isImageType(type: string): boolean {
  return type === 'oci' || type === 'docker';
}

/** True when nothing in a product can ever be compared with an image or a package. */
export function isNameless({ digests, purls, names }: VexProduct): boolean {
  return digests.length + purls.length + names.length === 0;
}
