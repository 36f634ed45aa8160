import { isRepositoryName } from '../oci/reference.ts';
import { RegistryError } from './errors.ts';

/** What a path below `/v2` asks for. References and digests are as written, not yet checked. */
export type Target =
  | { readonly kind: 'base' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'tags'; readonly repository: string }
  | { readonly kind: 'manifest'; readonly repository: string; readonly reference: string }
  | { readonly kind: 'blob'; readonly repository: string; readonly digest: string }
  | { readonly kind: 'uploads'; readonly repository: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly id: string }
  | { readonly kind: 'referrers'; readonly repository: string; readonly digest: string };

/**
 * Reads the path of a request (without query). Routes from the right: a repository may have path parts called
 * `manifests`, `blobs` or `tags`. Undefined when the path is none of ours; throws `name_invalid`.
 */
export function parseTarget(path: string): Target | undefined {
  if (path === '/v2' || path === '/v2/') return { kind: 'base' };
  const parts = decodeParts(path);
  if (!parts) return undefined;
  if (parts.length === 1 && parts[0] === '_catalog') return { kind: 'catalog' };
  const [third, second, last = ''] = [parts.at(-3), parts.at(-2), parts.at(-1)];
  const named = (dropped: number) => repositoryOf(parts.slice(0, -dropped));
  if (third === 'blobs' && second === 'uploads')
    return last === '' ? { kind: 'uploads', repository: named(3) } : { kind: 'upload', repository: named(3), id: last };
  if (second === 'blobs' && last === 'uploads') return { kind: 'uploads', repository: named(2) };
  if (second === 'manifests') return { kind: 'manifest', repository: named(2), reference: last };
  if (second === 'blobs') return { kind: 'blob', repository: named(2), digest: last };
  if (second === 'referrers') return { kind: 'referrers', repository: named(2), digest: last };
  if (second === 'tags' && last === 'list') return { kind: 'tags', repository: named(2) };
  return undefined;
}

/** Parts after `/v2/`, percent-decoded (clients write the colon of a digest as %3A); undefined when not decodable. */
function decodeParts(path: string): string[] | undefined {
  const rest = path.slice('/v2/'.length);
  if (!rest.includes('%')) return rest.split('/');
  try {
    return rest.split('/').map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

function repositoryOf(parts: readonly string[]): string {
  const name = parts.join('/');
  if (!isRepositoryName(name))
    throw new RegistryError(
      'name_invalid',
      `"${name.slice(0, 100)}" is not a repository name; use lower-case letters, digits and . _ - between slashes`,
    );
  return name;
}
