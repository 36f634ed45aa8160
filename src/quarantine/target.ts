import { PACKAGE_TYPES, type Package, type PackageType } from '../model/inventory.ts';
import { type Digest, tryParseDigest } from '../oci/digest.ts';
import { isInRange, parseVersionRange, type VersionRange } from '../policy/version-range.ts';
import { schemeOfType } from '../scanner/versions/of-type.ts';
import { type PurlPattern, parsePattern, speaksOf } from '../scanner/vex/purl-pattern.ts';
import { QuarantineError } from './errors.ts';

/** Content by its digest: of an image, an index, an artifact, or a blob of any of them. */
export interface DigestTarget {
  readonly kind: 'digest';
  readonly text: string;
  readonly digest: Digest;
}

/** Versions of a package, in whatever image holds one. */
export interface PackageTarget {
  readonly kind: 'package';
  readonly text: string;
  readonly purl: string;
  readonly versions?: string;
  readonly type: PackageType;
  readonly pattern: PurlPattern;
  readonly range?: VersionRange;
}

export type Target = DigestTarget | PackageTarget;

const LONGEST = 512;
const TYPES: ReadonlySet<string> = new Set(PACKAGE_TYPES);

/**
 * Reads what is to be put under quarantine: `sha256:…`, also behind the name of an image, or a package URL with its version, or
 * without one and a range beside it. Throws `QuarantineError('quarantine_invalid')`.
 */
export function readTarget(text: string, versions?: string): Target {
  const written = text.trim();
  if (written.length > LONGEST) throw invalid(written, `it is longer than ${LONGEST} characters`);
  if (/^pkg:/i.test(written)) return readPackage(written, versions);
  if (versions !== undefined) throw invalid(written, 'versions belong to a package URL such as pkg:npm/event-stream');
  const digest = tryParseDigest(written.slice(written.lastIndexOf('@') + 1));
  if (digest === undefined)
    throw invalid(
      written,
      'give a digest (sha256:…; a tag may mean another image tomorrow: "breakwater verdict IMAGE" shows its digest), or a package URL with a version such as pkg:npm/event-stream@3.3.6',
    );
  return { kind: 'digest', text: digest, digest };
}

/** Qualifiers of package URLs that installed packages may have, or that say where one comes from. */
const QUALIFIERS: ReadonlySet<string> = new Set([
  'arch',
  'build',
  'channel',
  'checksum',
  'classifier',
  'distro',
  'download_url',
  'epoch',
  'extension',
  'file_name',
  'goarch',
  'goos',
  'modularitylabel',
  'os',
  'platform',
  'repository_url',
  'rpmmod',
  'source',
  'subdir',
  'type',
  'upstream',
  'vcs_url',
]);

/**
 * Refuses qualifiers that no installed package has: a quarantine with one would stop nothing. Throws
 * `QuarantineError('quarantine_invalid')`.
 */
export function checkQualifiers(target: Target): void {
  if (target.kind !== 'package') return;
  const unknown = [...target.pattern.qualifiers.keys()].filter((key) => !QUALIFIERS.has(key));
  if (unknown.length > 0)
    throw invalid(
      target.text,
      `no package has ${unknown.map((key) => `"${key.slice(0, 60)}"`).join(', ')} behind the ? of its URL, so it would stop nothing; leave that out`,
    );
}

function readPackage(written: string, versions: string | undefined): PackageTarget {
  const pattern = parsePattern(written);
  if (!pattern) throw invalid(written, 'it is no package URL; write one like pkg:npm/event-stream@3.3.6');
  if (!TYPES.has(pattern.type))
    throw invalid(
      written,
      `no package of type "${pattern.type}" is ever found; the types are ${PACKAGE_TYPES.join(', ')}`,
    );
  const type = pattern.type as PackageType;
  if (versions === undefined) {
    if (pattern.version === undefined)
      throw invalid(written, 'say which version (…@1.2.3), or which versions (--versions ">= 1.2, < 1.4")');
    return { kind: 'package', text: written, purl: written, type, pattern };
  }
  if (pattern.version !== undefined)
    throw invalid(written, 'it names a version already; leave that out, or leave the range out');
  const scheme = schemeOfType(type);
  if (scheme === undefined)
    throw invalid(
      written,
      `the order of versions of type "${type}" is not known; name each version: ${written}@VERSION`,
    );
  const range = parseVersionRange(versions, scheme);
  if ('problem' in range) throw invalid(versions, range.problem);
  return { kind: 'package', text: `${written} ${versions.trim()}`, purl: written, versions, type, pattern, range };
}

/** What a stored package has to say for the question whether it is meant. */
export type HeldPackage = Pick<Package, 'purl' | 'name' | 'version' | 'source'>;

/** True when a package is one of those that are meant. A version that cannot be ordered is in no range. */
export function means({ pattern, range }: PackageTarget, pkg: HeldPackage): boolean {
  if (!speaksOf(pattern, pkg)) return false;
  if (!range) return true;
  const ofSource = ['source', 'src'].includes(pattern.qualifiers.get('arch') ?? '');
  return isInRange(range, ofSource ? (pkg.source ?? pkg).version : pkg.version);
}

/**
 * A piece of the package's name that stands in every way to write it, for the database to look for: names are spelt differently by
 * their own tools, in package URLs and in advisories, but their longest run of letters and digits is the same in all of them.
 */
export function searchedPiece({ pattern }: PackageTarget): string {
  const name = pattern.path.slice(pattern.path.lastIndexOf('/') + 1).toLowerCase();
  const runs = name.match(/[a-z0-9]+/g) ?? [];
  return runs.reduce((longest, run) => (run.length > longest.length ? run : longest), '');
}

function invalid(text: string, why: string): QuarantineError {
  return new QuarantineError(
    'quarantine_invalid',
    `${JSON.stringify(text.slice(0, 200))} cannot be put under quarantine: ${why}`,
  );
}
