import type { Constraint } from '../constraint.ts';
import { LONGEST_VALUE, linePrefix, UNSAFE } from '../messages.ts';
import type { ImagePlace } from '../workload.ts';
import { celString } from './cel.ts';
import type { RuleExpressions } from './rule-expressions.ts';

const PLACES: readonly ImagePlace[] = ['container', 'initContainer', 'ephemeralContainer', 'volume'];
/** Stand for the container and its image in a sentence of the engine, whose words are taken apart there. */
const NAME = '@name@';
const IMAGE = '@image@';

/** The API server drops a message of more bytes than this, and one with a line break. */
export const LONGEST_MESSAGE = 5120;

/** The sentence about the image `i` in the words of the constraint's engine, empty when the rule is kept. */
export function lineExpression(constraint: Constraint, { breaches }: RuleExpressions): string {
  return breaches.reduceRight((otherwise, { breach, when }) => {
    const sentences = PLACES.map((place) => {
      const text = constraint.words.breach(breach, { place, name: NAME, image: IMAGE });
      const name = text.indexOf(NAME);
      const image = text.indexOf(IMAGE, name);
      return {
        place,
        head: text.slice(0, name),
        middle: text.slice(name + NAME.length, image),
        tail: text.slice(image + IMAGE.length),
      };
    });
    const head = sentences.reduceRight(
      (last, one) =>
        last === '' ? celString(one.head) : `i.place == ${celString(one.place)} ? ${celString(one.head)} : ${last}`,
      '',
    );
    const quoted = constraint.options.style === 'welkin-docs';
    const value = (field: string) => valueExpression(field, constraint.options.compat && !quoted, quoted);
    const { middle, tail } = sentences[0] ?? { middle: '', tail: '' };
    const sentence = `(${head}) + ${value('i.name')} + ${celString(middle)} + ${value('i.image')} + ${celString(tail)}`;
    return `(${when}) ? ${sentence} : ${otherwise}`;
  }, '""');
}

/** A text as the engine prints foreign ones: bounded, controls as escapes, and quotes escaped where it stands in quotes. */
function valueExpression(field: string, exact: boolean, quoted: boolean): string {
  // A policy's message has no line breaks.
  if (exact) return `${field}.replace("\\n", "\\\\n")`;
  const cut = `(size(${field}) > ${LONGEST_VALUE} ? ${field}.substring(0, ${LONGEST_VALUE - 3}) + "..." : ${field})`;
  const quote = quoted ? `.replace("\\"", "\\\\\\"")` : '';
  return `(${field}.matches(${celString(UNSAFE_CLASS)}) ? ${cut}${UNSAFE_REPLACED} : ${cut})${quote}`;
}

/** The characters that `UNSAFE` escapes and that can stand in the text of an object. */
const UNSAFE_CHARACTERS = Array.from({ length: 0x2070 }, (_, code) => String.fromCodePoint(code)).filter((one) =>
  new RegExp(UNSAFE.source, 'u').test(one),
);
const UNSAFE_CLASS = `[${UNSAFE_CHARACTERS.map((one) => `\\x{${hex(one)}}`).join('')}]`;
const UNSAFE_REPLACED = UNSAFE_CHARACTERS.map((one) => `.replace("\\u${hex(one)}", "\\\\u${hex(one)}")`).join('');

function hex(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).padStart(4, '0');
}

/**
 * All lines of `list` in one message. A policy's message has no line breaks, so they are joined by `; `; what does not fit
 * is counted.
 */
export function messageExpression(constraint: Constraint, list: string, denies: boolean): string {
  const { style } = constraint.options;
  const prefix = celString(linePrefix(style, constraint.name, denies));
  const lines = `${list}.map(j, ${prefix} + j.line)`;
  const joined = `${lines}.join("; ")`;
  const first = (count: number) => {
    const numbers = Array.from({ length: count }, (_, at) => at).join(', ');
    return `[${numbers}].filter(n, n < size(${list})).map(n, ${prefix} + ${list}[n].line).join("; ")`;
  };
  const some = (count: number) => `${first(count)} + "; and " + string(size(${list}) - ${count}) + " more"`;
  const shorter = [20, 8, 3].reduceRight(
    (otherwise, count) => `size(${list}) > ${count} && ${fits(first(count))} ? ${some(count)} : ${otherwise}`,
    some(1),
  );
  return `${fits(joined)} ? ${joined} : size(${list}) == 1 ? ${first(1)} : ${shorter}`;
}

function fits(text: string): string {
  return `size(bytes(${text})) <= ${LONGEST_MESSAGE - 40}`;
}
