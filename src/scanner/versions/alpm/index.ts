import { compareText } from '../../../oci/canonical.ts';
import { compareDigits, startsWithDigit } from '../digits.ts';
import { type Evr, parseEvr } from '../evr.ts';
import { compareLists } from '../lists.ts';
import { ordering } from '../ordering.ts';
import type { Order } from '../types.ts';

/** A run of digits or of letters and how many other characters stand before it. */
interface Segment {
  readonly separators: number;
  readonly text: string;
}

interface PacmanVersion extends Evr {
  readonly segments: readonly Segment[];
  readonly releaseSegments: readonly Segment[];
}

const PRINTABLE = /^[\x21-\x7e]+$/;
const SEGMENT = /([^0-9A-Za-z]*)(\d+|[A-Za-z]+)/g;
const ENDS_WELL = /[0-9A-Za-z]$/;

/**
 * Order of two pacman versions `[epoch:]pkgver[-pkgrel]` as `vercmp` has it. Without a pkgrel on one side the pkgrel does not
 * count, so the order is transitive among versions that have one, as all packages do. undefined for an empty part, for white
 * space, controls and other than ASCII, and for a part that ends in a separator, which `vercmp` cannot order consistently.
 */
export const compareAlpm = ordering(parse, compare);

function parse(text: string): PacmanVersion | undefined {
  if (!PRINTABLE.test(text)) return undefined;
  const evr = parseEvr(text);
  if (!ENDS_WELL.test(evr.version) || !ENDS_WELL.test(evr.release ?? '0')) return undefined;
  return { ...evr, segments: segmentsOf(evr.version), releaseSegments: segmentsOf(evr.release ?? '') };
}

function segmentsOf(text: string): readonly Segment[] {
  return Array.from(text.matchAll(SEGMENT), ([, separators = '', run = '']) => ({
    separators: separators.length,
    text: run,
  }));
}

function compare(a: PacmanVersion, b: PacmanVersion): Order {
  const order = compareDigits(a.epoch, b.epoch) || compareLists(a.segments, b.segments, compareSegment);
  if (order !== 0 || a.release === undefined || b.release === undefined) return order;
  return compareLists(a.releaseSegments, b.releaseSegments, compareSegment);
}

/** Letters that follow at once < the end < everything else; then more separators are newer, and digits newer than letters. */
function compareSegment(x: Segment | undefined, y: Segment | undefined): Order {
  if (x === undefined || y === undefined)
    return x === y ? 0 : x === undefined ? compareEnd(y) : (-compareEnd(x) as Order);
  if (x.separators !== y.separators) return x.separators < y.separators ? -1 : 1;
  if (isNumber(x) !== isNumber(y)) return isNumber(y) ? -1 : 1;
  return isNumber(x) ? compareDigits(x.text, y.text) : compareText(x.text, y.text);
}

/** Order of the end and a segment that the other version still has. */
function compareEnd(segment: Segment | undefined): Order {
  return segment !== undefined && segment.separators === 0 && !isNumber(segment) ? 1 : -1;
}

function isNumber({ text }: Segment): boolean {
  return startsWithDigit(text);
}
