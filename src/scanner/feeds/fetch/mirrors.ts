import { FetchError } from './errors.ts';

/**
 * Addresses by kind of source out of `kind=address` texts, in their order. Throws `FetchError('refused')` for a text that is none
 * and for an address that is neither http nor https.
 */
export function parseMirrors(texts: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const mirrors = new Map<string, string[]>();
  for (const text of texts) {
    const at = text.indexOf('=');
    const [kind, address] = [text.slice(0, at), text.slice(at + 1)];
    const url = URL.parse(address);
    if (at < 1 || !url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
      throw new FetchError('refused', `${JSON.stringify(text)} is not like osv=https://mirror.example/osv`);
    }
    mirrors.set(kind, [...(mirrors.get(kind) ?? []), address]);
  }
  return mirrors;
}
