import { compareText } from '../../../oci/canonical.ts';
import { compareDigits, startsWithDigit } from '../digits.ts';
import { compareLists } from '../lists.ts';
import { ordering } from '../ordering.ts';
import type { Order } from '../types.ts';

const FORM = /^\s*\d+(?:\.[0-9a-z]+)*(?:-[0-9a-z-]+(?:\.[0-9a-z-]+)*)?\s*$/i;
const SEGMENT = /\d+|[a-z]+/gi;
const ZEROS = /[0.]+/g;
const LETTER = /[a-z]/i;

/**
 * Order of two gem versions as `Gem::Version` of RubyGems 3.6 has it: words make a pre-release, a hyphen means `.pre.`, zeros
 * before the first word or the end do not count. undefined for what `Gem::Version` refuses, and for an empty text.
 * A platform (`-x86_64-linux`) is no part of a version and must be gone before.
 */
export const compareRubyGems = ordering(parse, (a, b) => compareLists(a, b, compareSegment));

function parse(text: string): readonly string[] | undefined {
  if (!FORM.test(text)) return undefined;
  const version = text.trim().replaceAll('-', '.pre.');
  return withoutZerosBeforeWord(withoutZerosAtEnd(version)).match(SEGMENT) ?? [];
}

function withoutZerosAtEnd(text: string): string {
  for (const { 0: run, index } of text.matchAll(ZEROS)) {
    if (index + run.length === text.length)
      return text.slice(0, index + idleFrom(run, LETTER.test(text.charAt(index - 1))));
  }
  return text;
}

/** Only the first such zeros go, even where they stand after another word: so does RubyGems. */
function withoutZerosBeforeWord(text: string): string {
  for (const { 0: run, index } of text.matchAll(ZEROS)) {
    const from = idleFrom(run, index === 0);
    const end = index + run.length;
    if (from < run.length && LETTER.test(text.charAt(end))) return text.slice(0, index + from) + text.slice(end);
  }
  return text;
}

/** Where in a run of zeros and dots whole segments begin: zeros before its first dot may end a number. */
function idleFrom(run: string, beginsSegment: boolean): number {
  const dot = run.indexOf('.');
  return beginsSegment ? 0 : dot < 0 ? run.length : dot + 1;
}

/** Words < numbers; a missing segment is the number zero. */
function compareSegment(x = '0', y = '0'): Order {
  if (startsWithDigit(x) !== startsWithDigit(y)) return startsWithDigit(x) ? 1 : -1;
  return startsWithDigit(x) ? compareDigits(x, y) : compareText(x, y);
}
