import { looksLikeHost, tryParseReference } from '../oci/reference.ts';
import { check, type PreflightCheck } from './check.ts';

export interface NamedImage {
  readonly image: string;
  /** `Deployment shop/web`, for people. */
  readonly where: string;
}

const MOST_SHOWN = 50;

/**
 * Images without a registry in their name: Gatekeeper compares the short text, a guard reads Docker Hub, and a node may
 * be configured to take another registry.
 */
export function shortNameCheck(images: readonly NamedImage[]): PreflightCheck {
  const byImage = new Map<string, Set<string>>();
  for (const { image, where } of images) {
    const slash = image.indexOf('/');
    if (slash >= 0 && looksLikeHost(image.slice(0, slash))) continue;
    byImage.set(image, (byImage.get(image) ?? new Set()).add(where));
  }
  if (byImage.size === 0) return check('short-names', 'ok', 'every image names its registry');
  const details = [...byImage]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, MOST_SHOWN)
    .map(([image, places]) => {
      const reference = tryParseReference(image);
      const [first = '', ...rest] = [...places].sort();
      const read =
        reference === undefined ? 'is no image reference' : `is ${reference.registry}/${reference.repository}`;
      return `${image} ${read}: ${first}${rest.length === 0 ? '' : ` and ${rest.length} more`}`;
    });
  if (byImage.size > MOST_SHOWN) details.push(`and ${byImage.size - MOST_SHOWN} more`);
  const summary = `${byImage.size} ${byImage.size === 1 ? 'image is' : 'images are'} named without a registry and read as Docker Hub`;
  return check('short-names', 'warning', summary, details);
}
