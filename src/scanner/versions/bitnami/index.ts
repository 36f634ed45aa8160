import { ordering } from '../ordering.ts';
import { compareIdentifiers } from '../semver/identifiers.ts';
import { compareNumbers, type SemanticVersion } from '../semver/semantic.ts';
import type { Order } from '../types.ts';

const IDENTIFIERS = String.raw`[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*`;
const FORM = new RegExp(String.raw`^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-(${IDENTIFIERS}))?(?:\+${IDENTIFIERS})?$`);

/**
 * Order of two Bitnami versions `major[.minor[.patch]][-revision][+metadata]` as bitnami/go-version has it: what stands after
 * the hyphen is a revision, newer than the version without one. undefined when one of them is not such a version.
 */
export const compareBitnami = ordering(parse, compare);

function parse(version: string): SemanticVersion | undefined {
  const match = FORM.exec(version);
  if (match === null) return undefined;
  const [, major = '0', minor = '0', patch = '0', revision] = match;
  return { numbers: [major, minor, patch], preRelease: revision?.split('.') ?? [] };
}

function compare(a: SemanticVersion, b: SemanticVersion): Order {
  return compareNumbers(a, b) || compareIdentifiers(a.preRelease, b.preRelease);
}
