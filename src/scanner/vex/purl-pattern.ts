import type { Package } from '../../model/inventory.ts';
import { type PurlParts, parsePurl } from '../parse-purl.ts';

/** A package URL taken apart (ECMA-427), decoded. As a pattern: what is absent may be anything. */
export interface PurlPattern {
  readonly type: string;
  /** Namespace and name. */
  readonly path: string;
  readonly version?: string;
  readonly qualifiers: ReadonlyMap<string, string>;
}

/** Qualifiers that say where a package comes from, not which one it is. */
const ORIGIN: ReadonlySet<string> = new Set(['repository_url', 'download_url', 'vcs_url', 'file_name', 'checksum']);
/** Types whose names do not depend on case. */
const ANY_CASE: ReadonlySet<string> = new Set(['apk', 'bitnami', 'composer', 'deb', 'github', 'nuget', 'npm', 'pypi']);

/**
 * A package URL as a pattern, spelt as its type has it; undefined for what is none. What stands behind an @ is the version it
 * speaks of: with nothing there it is not clear of which, so that is none either.
 */
export function parsePattern(text: string): PurlPattern | undefined {
  const parts = parsePurl(text);
  if (!parts || hasEmptyVersion(text, parts)) return undefined;
  const { type, namespace, name, version, qualifiers } = parts;
  return {
    type,
    path: spelt(type, namespace === undefined ? name : `${namespace}/${name}`),
    ...(version === undefined ? {} : { version }),
    qualifiers,
  };
}

/** A pattern without a version speaks of all of them: `pkg:npm/a@` must not. */
function hasEmptyVersion(text: string, { version }: PurlParts): boolean {
  return version === undefined && /^[^?#]*@(?:[?#]|$)/.test(text);
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
