import type { Package } from '../../model/inventory.ts';

/** A package URL taken apart (ECMA-427), decoded. As a pattern: what is absent may be anything. */
export interface PurlPattern {
  readonly type: string;
  /** Namespace and name. */
  readonly path: string;
  readonly version?: string;
  readonly qualifiers: ReadonlyMap<string, string>;
}

const LONGEST = 4096;
/** Qualifiers that say where a package comes from, not which one it is. */
const ORIGIN: ReadonlySet<string> = new Set(['repository_url', 'download_url', 'vcs_url', 'file_name', 'checksum']);
/** Types whose names do not depend on case. */
const ANY_CASE: ReadonlySet<string> = new Set(['apk', 'bitnami', 'composer', 'deb', 'github', 'nuget', 'npm', 'pypi']);

/** Takes a package URL apart; undefined for what is none. */
export function parsePattern(text: string): PurlPattern | undefined {
  if (!text.startsWith('pkg:') || text.length > LONGEST) return undefined;
  const [withoutSubpath = ''] = text.slice(4).split('#', 1);
  const question = withoutSubpath.indexOf('?');
  const named = (question < 0 ? withoutSubpath : withoutSubpath.slice(0, question)).replace(/^\/{1,8}/, '');
  const slash = named.indexOf('/');
  // The first sign of a scope, `@angular`, is no version.
  const at = named.lastIndexOf('@');
  const versioned = at > slash + 1 && at > named.lastIndexOf('/');
  const type = named.slice(0, Math.max(slash, 0)).toLowerCase();
  const path = decode(named.slice(slash + 1, versioned ? at : undefined));
  const version = versioned ? decode(named.slice(at + 1)) : undefined;
  if (!/^[a-z][a-z0-9.+-]*$/.test(type) || !path || (versioned && !version)) return undefined;
  return {
    type,
    path: spelt(type, path),
    ...(version === undefined ? {} : { version }),
    qualifiers: question < 0 ? new Map() : qualifiersOf(withoutSubpath.slice(question + 1)),
  };
}

/** True when a pattern speaks of an installed package, by its own URL or, for `arch=source`, by its source. */
export function speaksOf(pattern: PurlPattern, pkg: Pick<Package, 'purl' | 'source' | 'name' | 'version'>): boolean {
  const known = parsePattern(pkg.purl);
  if (known === undefined || known.type !== pattern.type) return false;
  const ofSource = ['source', 'src'].includes(pattern.qualifiers.get('arch') ?? '');
  return ofSource ? speaksOfSource(pattern, known, pkg) : isInstance(pattern, known);
}

/** True when a package URL is one of those that a pattern stands for. */
export function isInstance(pattern: PurlPattern, known: PurlPattern): boolean {
  return (
    pattern.type === known.type &&
    pattern.path === known.path &&
    (pattern.version === undefined || pattern.version === known.version) &&
    agree(pattern, known)
  );
}

function speaksOfSource(pattern: PurlPattern, known: PurlPattern, pkg: Pick<Package, 'source' | 'name' | 'version'>) {
  const { name, version } = pkg.source ?? pkg;
  const vendor = known.path.slice(0, known.path.lastIndexOf('/') + 1);
  return (
    pattern.path === spelt(known.type, `${vendor}${name}`) &&
    (pattern.version === undefined ||
      pattern.version === version.replace(/^\d+:/, '') ||
      pattern.version === version) &&
    agree(pattern, known, 'arch')
  );
}

/** Everything a pattern says of a package beyond its name must be so; what the package does not say is not known to be. */
function agree(pattern: PurlPattern, known: PurlPattern, apart?: string): boolean {
  return [...pattern.qualifiers].every(
    ([key, value]) =>
      ORIGIN.has(key) || key === apart || known.qualifiers.get(key) === value || isZeroEpoch(key, value),
  );
}

function isZeroEpoch(key: string, value: string): boolean {
  return key === 'epoch' && value === '0';
}

function spelt(type: string, path: string): string {
  const plain = ANY_CASE.has(type) ? path.toLowerCase() : path;
  return type === 'pypi' ? plain.replace(/[-_.]+/g, '-') : plain;
}

function qualifiersOf(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split('&', 64).flatMap((pair) => {
      const equals = pair.indexOf('=');
      const value = equals > 0 ? decode(pair.slice(equals + 1)) : undefined;
      return value ? [[pair.slice(0, equals).toLowerCase(), value] as const] : [];
    }),
  );
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
