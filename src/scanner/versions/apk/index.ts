import { compareText } from '../../../oci/canonical.ts';
import { compareDigits } from '../digits.ts';
import { compareLists } from '../lists.ts';
import { ordering } from '../ordering.ts';
import type { Order } from '../types.ts';

const SUFFIXES = ['alpha', 'beta', 'pre', 'rc', '', 'cvs', 'svn', 'git', 'hg', 'p'] as const;
const NO_SUFFIX = SUFFIXES.indexOf('');

/** When everything before is equal, the version whose next part has the lower number is the newer one. */
const KINDS = {
  first: 0,
  component: 1,
  number: 2,
  letter: 3,
  suffix: 4,
  suffixNumber: 5,
  hash: 6,
  revision: 7,
  end: 8,
} as const;

interface Part {
  readonly kind: keyof typeof KINDS;
  readonly text: string;
}

const END: Part = { kind: 'end', text: '' };
const FORM = /^\d+(?:\.\d*|[a-z]\d+)*[a-z]?(?:_(?:alpha|beta|pre|rc|cvs|svn|git|hg|p)\d*)*(?:~[0-9a-f]+)?(?:-r\d+)?$/;
const PART = /\.(\d*)|_([a-z]+)(\d*)|~([0-9a-f]+)|-r(\d+)|([a-z])|(\d+)/g;

/**
 * Order of two Alpine package versions as apk-tools has it:
 * `digits{.digits}[letter[digits]]{_suffix[number]}[~hash][-rN]`; undefined when one of them does not have that form.
 */
export const compareApk = ordering(parse, (a, b) => compareLists(a, b, comparePart));

/** Splits into parts; undefined when the text is no apk version. */
function parse(version: string): readonly Part[] | undefined {
  if (!FORM.test(version)) return undefined;
  const parts: Part[] = [];
  for (const [, component, suffix, suffixNumber, hash, revision, letter, digits] of version.matchAll(PART)) {
    if (component !== undefined) parts.push({ kind: 'component', text: component });
    else if (letter !== undefined) parts.push({ kind: 'letter', text: letter });
    else if (hash !== undefined) parts.push({ kind: 'hash', text: hash });
    else if (revision !== undefined) parts.push({ kind: 'revision', text: revision });
    else if (digits !== undefined) parts.push({ kind: parts.length === 0 ? 'first' : 'number', text: digits });
    else if (suffix !== undefined) {
      parts.push({ kind: 'suffix', text: suffix });
      if (suffixNumber) parts.push({ kind: 'suffixNumber', text: suffixNumber });
    }
  }
  return parts;
}

function comparePart(x: Part = END, y: Part = END): Order {
  if (x.kind !== y.kind) return compareKinds(x, y);
  switch (x.kind) {
    case 'component':
      return compareComponent(x.text, y.text);
    case 'first':
    case 'number':
    case 'suffixNumber':
    case 'revision':
      return compareDigits(x.text, y.text);
    case 'suffix':
      return Math.sign(rankOfSuffix(x) - rankOfSuffix(y)) as Order;
    default:
      return compareText(x.text, y.text);
  }
}

/** Leading zeros make a component smaller, the more the smaller, before its number counts: 1.00 < 1.0 < 1.05 < 1.1. */
function compareComponent(a: string, b: string): Order {
  const [zerosA, zerosB] = [leadingZeros(a), leadingZeros(b)];
  return zerosA === zerosB ? compareDigits(a, b) : zerosA > zerosB ? -1 : 1;
}

function leadingZeros(digits: string): number {
  let count = 0;
  while (digits.charCodeAt(count) === 48) count += 1;
  return count;
}

/** A pre-release suffix is older than anything that could stand in its place; otherwise the earlier kind is newer. */
function compareKinds(x: Part, y: Part): Order {
  if (isPreRelease(x)) return -1;
  if (isPreRelease(y)) return 1;
  return KINDS[x.kind] > KINDS[y.kind] ? -1 : 1;
}

function isPreRelease(part: Part): boolean {
  return part.kind === 'suffix' && rankOfSuffix(part) < NO_SUFFIX;
}

function rankOfSuffix(part: Part): number {
  return SUFFIXES.findIndex((suffix) => suffix === part.text);
}
