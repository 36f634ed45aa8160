import { canonicalHash } from '../oci/canonical.ts';
import type { Digest } from '../oci/digest.ts';
import { JUSTIFICATIONS, type Justification } from '../policy/exceptions.ts';
import { isImageType } from '../scanner/vex/product.ts';
import type { PurlPattern } from '../scanner/vex/purl-pattern.ts';
import type { VexProduct, VexStatement } from '../scanner/vex/types.ts';

/** An exception as a statement that counts for nothing can still ask for it. */
export interface WantedException {
  readonly vulnerability: string;
  readonly package?: string;
  readonly version?: string;
  /** Below the project. */
  readonly repository?: string;
  readonly digest?: Digest;
  readonly kind?: 'not-affected';
  readonly justification?: Justification;
  readonly reason: string;
  /** The same for the same author, vulnerability and product of a project. */
  readonly key: string;
}

export interface WantedFrom {
  readonly projectId: string;
  readonly document: string;
  /** Names of the project's repositories, below it. */
  readonly repositories: readonly string[];
  /** Vulnerabilities, in upper case, that were found in the project: about others nobody has to decide. */
  readonly found: ReadonlySet<string>;
  /** The images what was attached is about; absent for what was handed in by itself. */
  readonly images?: readonly Digest[];
}

const LONGEST_TEXT = 500;

/**
 * What to ask for because of statements that say something does not matter: each limited to what the statement is about. What cannot be
 * limited to an image, a repository of the project or a package is not asked for.
 */
export function* wantedExceptions(statements: readonly VexStatement[], from: WantedFrom): Generator<WantedException> {
  for (const statement of statements) {
    if (statement.status !== 'not_affected' && statement.status !== 'fixed') continue;
    const vulnerability = statement.vulnerabilities.find((id) => from.found.has(id.toUpperCase()));
    if (vulnerability === undefined) continue;
    for (const product of statement.products)
      for (const place of placesOf(product, from))
        for (const part of partsOf(product)) {
          const limits = { ...place, ...part };
          if (Object.keys(limits).length === 0) continue;
          const key = canonicalHash([from.projectId, statement.author, vulnerability.toUpperCase(), limits]);
          yield { vulnerability, ...limits, ...kindOf(statement), reason: reasonOf(statement, from.document), key };
        }
  }
}

/** With a reason that all know it asks for "not affected"; with words alone, or where it is said to be fixed, for an accepted risk. */
function kindOf({ status, justification }: VexStatement): Pick<WantedException, 'kind' | 'justification'> {
  const known = JUSTIFICATIONS.find((one) => one === justification);
  return status === 'not_affected' && known ? { kind: 'not-affected', justification: known } : {};
}

type Place = Pick<WantedException, 'digest' | 'repository'>;

function placesOf({ digests, purls, names }: VexProduct, { repositories, images }: WantedFrom): readonly Place[] {
  if (images)
    return images.filter((digest) => digests.length === 0 || digests.includes(digest)).map((digest) => ({ digest }));
  if (digests.length > 0) return digests.map((digest) => ({ digest }));
  const called = [
    ...names.map((name) => name.replace(/@.*$/, '').replace(/:[^/]*$/, '')),
    ...purls
      .filter(({ type }) => isImageType(type))
      .map(({ path, qualifiers }) => qualifiers.get('repository_url')?.replace(/\/$/, '') ?? path),
  ];
  if (called.length === 0) return [{}];
  return repositories
    .filter((repository) => called.some((name) => name === repository || name.endsWith(`/${repository}`)))
    .map((repository) => ({ repository }));
}

type Part = Pick<WantedException, 'package' | 'version'>;

function partsOf({ components, purls }: VexProduct): readonly Part[] {
  const packages = components.length > 0 ? components : purls.filter(({ type }) => !isImageType(type));
  return packages.length === 0 ? [{}] : packages.map(partOf);
}

function partOf({ type, path, version }: PurlPattern): Part {
  // As inventories name packages: without the vendor of a distribution, groups of Maven with a colon.
  const name =
    type === 'maven' ? path.replace('/', ':') : VENDORED.has(type) ? path.slice(path.lastIndexOf('/') + 1) : path;
  return { package: name, ...(version === undefined ? {} : { version }) };
}

const VENDORED: ReadonlySet<string> = new Set(['alpm', 'apk', 'deb', 'opkg', 'rpm']);

function reasonOf({ author, status, justification }: VexStatement, document: string): string {
  const said = status === 'fixed' ? 'fixed' : 'not affected';
  const why = justification === undefined ? '' : `: ${justification}`;
  return printable(`VEX in ${document}, which says it is by "${author}" (unproven), says ${said}${why}`);
}

/** One line of reasonable length, whatever a document holds. */
function printable(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}<>]+/gu, ' ')
    .slice(0, LONGEST_TEXT)
    .toWellFormed();
}
