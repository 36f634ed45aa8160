/** The parts of a package URL, decoded. */
export interface PurlParts {
  /** Lower case. */
  readonly type: string;
  /** With slashes between its segments. */
  readonly namespace?: string;
  readonly name: string;
  readonly version?: string;
  /** Lower-case keys; those without a value are left out. */
  readonly qualifiers: ReadonlyMap<string, string>;
  readonly subpath?: string;
}

const LONGEST = 8192;
const TYPE = /^[a-z][a-z0-9.+-]*$/;
const UNPRINTABLE = /\p{Cc}/u;

/**
 * Parses a package URL (ECMA-427, "How to parse a purl string"): from the right subpath, qualifiers and version, from the
 * left scheme and type. Undefined for what is none, for broken percent-encoding and for control characters.
 */
export function parsePurl(text: string): PurlParts | undefined {
  if (text.length > LONGEST) return undefined;
  const [beforeSubpath, rawSubpath = ''] = splitLast(text, '#');
  const [beforeQualifiers, rawQualifiers = ''] = splitFirst(beforeSubpath, '?');
  const [scheme, rest] = splitFirst(beforeQualifiers, ':');
  if (scheme.toLowerCase() !== 'pkg' || rest === undefined) return undefined;
  const [rawType, path] = splitFirst(trimSlashes(rest), '/');
  const type = rawType.toLowerCase();
  if (path === undefined || !TYPE.test(type)) return undefined;

  const at = path.lastIndexOf('@');
  // An @ before the last slash belongs to a scope that somebody did not encode.
  const versioned = at > 0 && at > path.lastIndexOf('/');
  const segments = decodeAll((versioned ? path.slice(0, at) : path).split('/').filter(Boolean));
  const version = versioned ? decode(path.slice(at + 1)) : '';
  const qualifiers = qualifiersOf(rawQualifiers);
  const subpath = decodeAll(rawSubpath.split('/').filter((part) => part !== '' && part !== '.' && part !== '..'));
  const name = segments?.pop();
  if (!segments || !name || version === undefined || !qualifiers || !subpath) return undefined;
  return {
    type,
    ...(segments.length === 0 ? {} : { namespace: segments.join('/') }),
    name,
    ...(version === '' ? {} : { version }),
    qualifiers,
    ...(subpath.length === 0 ? {} : { subpath: subpath.join('/') }),
  };
}

function qualifiersOf(text: string): Map<string, string> | undefined {
  const qualifiers = new Map<string, string>();
  for (const pair of text.split('&')) {
    const [key, raw = ''] = splitFirst(pair, '=');
    const value = decode(raw);
    if (value === undefined) return undefined;
    if (key !== '' && value !== '') qualifiers.set(key.toLowerCase(), value);
  }
  return qualifiers;
}

function decodeAll(parts: readonly string[]): string[] | undefined {
  const decoded = parts.map(decode);
  return decoded.every((part) => part !== undefined && part !== '') ? (decoded as string[]) : undefined;
}

function decode(text: string): string | undefined {
  try {
    const decoded = decodeURIComponent(text);
    return UNPRINTABLE.test(decoded) ? undefined : decoded;
  } catch {
    return undefined;
  }
}

function splitFirst(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function splitLast(text: string, separator: string): [string, string | undefined] {
  const at = text.lastIndexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function trimSlashes(text: string): string {
  let start = 0;
  let end = text.length;
  while (text[start] === '/') start += 1;
  while (end > start && text[end - 1] === '/') end -= 1;
  return text.slice(start, end);
}
