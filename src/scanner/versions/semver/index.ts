import { ordering } from '../ordering.ts';
import { compareSemantic, type SemanticVersion } from './semantic.ts';

const IDENTIFIERS = String.raw`[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*`;
const FORM = new RegExp(
  String.raw`^[v=\s]*(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-(${IDENTIFIERS})|((?=[A-Za-z])${IDENTIFIERS}))?(?:\+${IDENTIFIERS})?\s*$`,
);

/**
 * Order of two versions by Semantic Versioning 2.0.0 §11. Takes what npm's loose mode takes too: a leading `v` or `=`,
 * a pre-release without its hyphen; and a missing minor or patch number as zero. Build metadata does not count.
 * undefined when one of them is not such a version. Node's rule that ranges exclude pre-releases is not applied.
 */
export const compareSemver = ordering(parse, compareSemantic);

function parse(version: string): SemanticVersion | undefined {
  const match = FORM.exec(version);
  if (match === null) return undefined;
  const [, major = '0', minor = '0', patch = '0', strict, loose] = match;
  const preRelease = strict ?? loose;
  return { numbers: [major, minor, patch], preRelease: preRelease === undefined ? [] : preRelease.split('.') };
}
