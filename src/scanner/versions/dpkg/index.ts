import { compareDigits } from '../digits.ts';
import { ordering } from '../ordering.ts';
import type { Order } from '../types.ts';

interface DebianVersion {
  readonly epoch: string;
  readonly upstream: string;
  /** Empty when there is none, which dpkg treats like the lowest revision. */
  readonly revision: string;
}

const MAX_EPOCH = 2147483647;
const LEGAL = /^[A-Za-z0-9.+~:-]+$/;
const DIGITS = /^\d+$/;

/**
 * Order of two Debian versions `[epoch:]upstream[-revision]` as deb-version(7) and `dpkg --compare-versions` have it;
 * undefined when dpkg refuses one of them (or it holds characters no version may have).
 */
export const compareDpkg = ordering(parse, compare);

function compare(a: DebianVersion, b: DebianVersion): Order {
  return (
    compareDigits(a.epoch, b.epoch) ||
    compareFragment(a.upstream, b.upstream) ||
    compareFragment(a.revision, b.revision)
  );
}

function parse(version: string): DebianVersion | undefined {
  if (!LEGAL.test(version)) return undefined;
  const colon = version.indexOf(':');
  const epoch = colon < 0 ? '0' : version.slice(0, colon);
  if (!DIGITS.test(epoch) || Number(epoch) > MAX_EPOCH) return undefined;
  const rest = version.slice(colon + 1);
  const hyphen = rest.lastIndexOf('-');
  const upstream = hyphen < 0 ? rest : rest.slice(0, hyphen);
  const revision = hyphen < 0 ? '' : rest.slice(hyphen + 1);
  if (upstream === '' || (hyphen >= 0 && revision === '') || revision.includes(':')) return undefined;
  return { epoch, upstream, revision };
}

/** Alternates between runs without digits, compared by character weight, and runs of digits, compared as numbers. */
function compareFragment(a: string, b: string): Order {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    while ((i < a.length && !isDigit(a, i)) || (j < b.length && !isDigit(b, j))) {
      const difference = weight(a, i) - weight(b, j);
      if (difference !== 0) return difference < 0 ? -1 : 1;
      i += 1;
      j += 1;
    }
    const [endA, endB] = [endOfDigits(a, i), endOfDigits(b, j)];
    const order = compareDigits(a.slice(i, endA), b.slice(j, endB));
    if (order !== 0) return order;
    i = endA;
    j = endB;
  }
  return 0;
}

/** `~` before the end of the text (where a digit counts as an end too), then letters, then everything else. */
function weight(text: string, at: number): number {
  if (at >= text.length || isDigit(text, at)) return 0;
  const code = text.charCodeAt(at);
  if (code === 0x7e) return -1;
  const isLetter = (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
  return isLetter ? code : code + 256;
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}

function endOfDigits(text: string, from: number): number {
  let at = from;
  while (at < text.length && isDigit(text, at)) at += 1;
  return at;
}
