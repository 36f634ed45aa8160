import { matchesGlob } from '../policy/repository-glob.ts';
import type { ProductMatch } from '../scanner/vex/match-product.ts';
import { isImageType } from '../scanner/vex/product.ts';
import type { PurlPattern } from '../scanner/vex/purl-pattern.ts';
import type { VexProduct } from '../scanner/vex/types.ts';

const LONGEST = 255;
const MOST_STARS = 8;

/** Why a text is no glob of what an author may speak of; undefined when it is one. */
export function problemOfScope(scope: string): string | undefined {
  const shown = JSON.stringify(scope.slice(0, 80));
  if (scope.length === 0 || scope.length > LONGEST) return `${shown} has not 1 to ${LONGEST} characters`;
  if ((scope.match(/\*+/g) ?? []).length > MOST_STARS) return `${shown} has more than ${MOST_STARS} stars`;
  const form = scope.startsWith('pkg:') ? /^pkg:[a-z0-9.+*-]+(?:\/[^\s?#]*)?$/ : /^[a-z0-9._/*-]+$/;
  return form.test(scope)
    ? undefined
    : `${shown} is neither a package URL without version and qualifiers, like pkg:deb/debian/*, nor repositories, like front/**`;
}

/**
 * True when an author may speak of a product. Of an image: when the repository it lies in is one of the author's, whatever the product
 * calls it. Of a package: when every package URL the product goes by is.
 */
export function isInScope(
  scopes: readonly string[],
  {
    repository,
    product,
    match,
  }: { readonly repository: string; readonly product: VexProduct; readonly match: ProductMatch },
): boolean {
  if (match === 'image') return scopes.some((scope) => !scope.startsWith('pkg:') && matchesGlob(scope, repository));
  const packages = product.purls.filter(({ type }) => !isImageType(type));
  return (
    packages.length > 0 &&
    packages.every((purl) => scopes.some((scope) => scope.startsWith('pkg:') && matchesGlob(wide(scope), nameOf(purl))))
  );
}

/** In package URLs a star goes on across slashes at the end: `pkg:deb/*`. */
function wide(scope: string): string {
  return scope.replace(/(?<!\*)\*$/, '**');
}

function nameOf({ type, path }: PurlPattern): string {
  return `pkg:${type}/${path}`;
}
