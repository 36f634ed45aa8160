import { compareText } from '../../../oci/canonical.ts';
import { compareDigits } from '../digits.ts';
import { compareLists } from '../lists.ts';
import { ordering } from '../ordering.ts';
import type { Order } from '../types.ts';

interface PythonVersion {
  readonly epoch: string;
  readonly release: readonly string[];
  /** Rank and number of the pre-release; a rank below all for a development release of the version itself. */
  readonly pre: { readonly rank: number; readonly number: string };
  /** undefined = none, which is older than any. */
  readonly post: string | undefined;
  /** undefined = none, which is newer than any. */
  readonly dev: string | undefined;
  readonly local: readonly string[];
}

const FORM = new RegExp(
  [
    String.raw`^\s*v?(?:(\d+)!)?(\d+(?:\.\d+)*)`,
    String.raw`(?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?(\d+)?)?`,
    String.raw`(?:-(\d+)|[-_.]?(post|rev|r)[-_.]?(\d+)?)?`,
    String.raw`(?:[-_.]?(dev)[-_.]?(\d+)?)?`,
    String.raw`(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?\s*$`,
  ].join(''),
);
const DIGITS = /^\d+$/;

const PRE_RANKS: ReadonlyMap<string, number> = new Map([
  ['a', 1],
  ['alpha', 1],
  ['b', 2],
  ['beta', 2],
  ['c', 3],
  ['rc', 3],
  ['pre', 3],
  ['preview', 3],
]);
const BELOW_PRE = 0;
const ABOVE_PRE = 4;

/**
 * Order of two Python versions by PEP 440 (Version Specifiers of the Python Packaging Authority), with its normal forms.
 * undefined for what PEP 440 does not take, the versions of before it included. Local versions count: `1.0` < `1.0+a` < `1.0+1`.
 */
export const comparePep440 = ordering(parse, compare);

function parse(text: string): PythonVersion | undefined {
  const match = FORM.exec(text.toLowerCase());
  if (match === null) return undefined;
  const [
    ,
    epoch = '0',
    release = '',
    pre,
    preNumber = '0',
    postDashed,
    post,
    postNumber = '0',
    dev,
    devNumber = '0',
    local,
  ] = match;
  const postRelease = postDashed ?? (post === undefined ? undefined : postNumber);
  const rankWithout = postRelease === undefined && dev !== undefined ? BELOW_PRE : ABOVE_PRE;
  return {
    epoch,
    release: release.split('.'),
    pre: { rank: PRE_RANKS.get(pre ?? '') ?? rankWithout, number: pre === undefined ? '0' : preNumber },
    post: postRelease,
    dev: dev === undefined ? undefined : devNumber,
    local: local?.split(/[-_.]/) ?? [],
  };
}

function compare(a: PythonVersion, b: PythonVersion): Order {
  return (
    compareDigits(a.epoch, b.epoch) ||
    compareLists(a.release, b.release, (x = '0', y = '0') => compareDigits(x, y)) ||
    (Math.sign(a.pre.rank - b.pre.rank) as Order) ||
    compareDigits(a.pre.number, b.pre.number) ||
    compareOptional(a.post, b.post, -1) ||
    compareOptional(a.dev, b.dev, 1) ||
    compareLists(a.local, b.local, compareLocal)
  );
}

/** Numbers by value; what is missing is older (-1) or newer (1) than any. */
function compareOptional(a: string | undefined, b: string | undefined, missing: 1 | -1): Order {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? missing : (-missing as Order);
  return compareDigits(a, b);
}

/** The end < words < numbers. */
function compareLocal(x: string | undefined, y: string | undefined): Order {
  if (x === undefined || y === undefined) return x === undefined ? -1 : 1;
  const [numberX, numberY] = [DIGITS.test(x), DIGITS.test(y)];
  if (numberX !== numberY) return numberX ? 1 : -1;
  return numberX ? compareDigits(x, y) : compareText(x, y);
}
