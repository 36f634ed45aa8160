import type { Digest } from '../../oci/digest.ts';
import type { PurlPattern } from './purl-pattern.ts';
import type { VexProduct } from './types.ts';

interface StoredPattern extends Omit<PurlPattern, 'qualifiers'> {
  readonly qualifiers?: Readonly<Record<string, string>>;
}
interface StoredProduct {
  readonly digests?: readonly Digest[];
  readonly purls?: readonly StoredPattern[];
  readonly names?: readonly string[];
  readonly components?: readonly StoredPattern[];
}

/** Products as JSON, without what is empty: there may be hundreds of thousands. */
export function productsToJson(products: readonly VexProduct[]): string {
  return JSON.stringify(
    products.map(
      ({ digests, purls, names, components }): StoredProduct => ({
        ...(digests.length === 0 ? {} : { digests }),
        ...(purls.length === 0 ? {} : { purls: purls.map(storedPattern) }),
        ...(names.length === 0 ? {} : { names }),
        ...(components.length === 0 ? {} : { components: components.map(storedPattern) }),
      }),
    ),
  );
}

/** The products that `productsToJson` wrote. */
export function productsOfJson(text: string): readonly VexProduct[] {
  return (JSON.parse(text) as readonly StoredProduct[]).map(
    ({ digests = [], purls = [], names = [], components = [] }) => ({
      digests,
      purls: purls.map(patternOf),
      names,
      components: components.map(patternOf),
    }),
  );
}

function storedPattern({ qualifiers, ...pattern }: PurlPattern): StoredPattern {
  return qualifiers.size === 0 ? pattern : { ...pattern, qualifiers: Object.fromEntries(qualifiers) };
}

function patternOf({ qualifiers = {}, ...pattern }: StoredPattern): PurlPattern {
  return { ...pattern, qualifiers: new Map(Object.entries(qualifiers)) };
}
