import { closeSync, openSync, readSync, statSync } from 'node:fs';
import type { Inventory, Package } from '../../model/inventory.ts';
import { compareText } from '../../oci/canonical.ts';
import { tryParseDigest } from '../../oci/digest.ts';
import { oneLine } from '../../platform/one-line.ts';
import { ANALYSER_VERSION } from '../../scanner/model.ts';
import { packageUrl } from '../../scanner/purl.ts';
import type { Sbom } from '../../scanner/sbom-read/types.ts';
import { CliError } from '../exit.ts';
import type { ScannedTarget } from './scanned-target.ts';

/** How every form of a bill of materials begins, a byte order mark and white space aside; no archive does. */
const BEGINNING = /^\ufeff?\s*(?:[{<]|#|SPDXVersion:)/;
const HEAD = 4096;

/**
 * A bill of materials as something to judge, told by its content; undefined for files that begin otherwise. Throws
 * `CliError`, which says why, for text that is none or that cannot be read as one.
 */
export async function readSbomTarget(path: string): Promise<ScannedTarget | undefined> {
  if (!isFile(path)) return undefined;
  const fd = openSync(path, 'r');
  try {
    const head = Buffer.alloc(HEAD);
    if (!BEGINNING.test(head.toString('utf8', 0, readSync(fd, head, 0, HEAD, 0)))) return undefined;
    const { readSbomFile } = await import('../../scanner/sbom-read/read-sbom.ts');
    const sbom = readSbomFile(fd);
    const why = 'refused' in sbom ? sbom.refused : whyNothing(sbom);
    if ('refused' in sbom || why !== undefined)
      throw new CliError('failed', oneLine(`${path} cannot be read as a bill of materials: ${why}`));
    return targetOf(path, sbom);
  } finally {
    closeSync(fd);
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** A document of which nothing but problems came. */
function whyNothing({ packages, subject, problems }: Sbom): string | undefined {
  return packages.length > 0 || subject !== undefined || problems.length === 0 ? undefined : problems.join('; ');
}

function targetOf(path: string, sbom: Sbom): ScannedTarget {
  const { subject } = sbom;
  const digest = subject?.version === undefined ? undefined : tryParseDigest(subject.version);
  return {
    name: path,
    ...(digest ? { digest } : {}),
    repository: '',
    subject: { kind: 'document', name: subject?.name ?? path, ...(digest ? { digest } : {}) },
    inventory: inventoryOf(path, sbom),
  };
}

/** What the document lists, in the form and order of what was analysed; what it lacks cannot be known. */
function inventoryOf(path: string, { distribution, packages, problems }: Sbom): Inventory {
  return {
    analyser: ANALYSER_VERSION,
    ...(distribution ? { distribution } : {}),
    packages: packages
      .map((pkg): Package => ({ ...pkg, purl: packageUrl(pkg, distribution), path: pkg.path ?? path }))
      .sort(comparePackages),
    gaps: problems.map((message) => ({ kind: 'malformed-entry', path, message: `${path}: ${message}` })),
    complete: true,
  };
}

function comparePackages(a: Package, b: Package): number {
  return (
    compareText(a.type, b.type) ||
    compareText(a.name, b.name) ||
    compareText(a.version, b.version) ||
    compareText(a.path, b.path)
  );
}
