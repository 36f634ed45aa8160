/** What an `Authorization` header carries. */
export type Credentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly name: string; readonly password: string }
  | { readonly kind: 'bearer'; readonly token: string }
  /** A scheme we do not speak, or Basic that cannot be read. */
  | { readonly kind: 'unreadable' };

const LONGEST = 32_768;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

/** Reads an `Authorization` header (RFC 7617, RFC 6750). Never throws. */
export function parseAuthorization(header: string | undefined): Credentials {
  if (header === undefined || header === '') return { kind: 'none' };
  if (header.length > LONGEST) return { kind: 'unreadable' };
  const space = header.indexOf(' ');
  const scheme = header.slice(0, Math.max(space, 0)).toLowerCase();
  const value = header.slice(space + 1).trim();
  if (scheme === 'bearer' && value !== '') return { kind: 'bearer', token: value };
  if (scheme !== 'basic' || !BASE64.test(value)) return { kind: 'unreadable' };
  const text = Buffer.from(value, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) return { kind: 'unreadable' };
  return { kind: 'basic', name: text.slice(0, colon), password: text.slice(colon + 1) };
}
