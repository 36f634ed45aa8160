import { RegistryError } from './errors.ts';

const LARGEST_PAGE = 10_000;

export interface PageRequest {
  /** Entries wanted; never more than we give at once. */
  readonly limit: number;
  /** Only entries after this one; it need not exist. */
  readonly after: string;
}

/** Reads `n` and `last` (distribution-spec, "Listing Tags"). Throws `page_invalid`. */
export function parsePage(query: URLSearchParams, largest = LARGEST_PAGE): PageRequest {
  const n = query.get('n');
  if (n !== null && !/^\d{1,15}$/.test(n))
    throw new RegistryError('page_invalid', `n must be a number of entries, not "${n.slice(0, 100)}"`);
  return { limit: n === null ? largest : Math.min(Number(n), largest), after: query.get('last') ?? '' };
}

/** The `Link` header to the page after `last` (RFC 5988), relative so that it survives every proxy. */
export function nextLink(path: string, page: Readonly<Record<string, string | number>>): string {
  const query = new URLSearchParams(Object.entries(page).map(([key, value]) => [key, String(value)]));
  return `<${path}?${query.toString()}>; rel="next"`;
}
