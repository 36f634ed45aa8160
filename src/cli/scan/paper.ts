import { styleText } from 'node:util';
import type { Severity } from '../../model/severity.ts';
import { oneLine } from '../../platform/one-line.ts';
import { charactersOf, widthOf } from '../output.ts';

type Style = Parameters<typeof styleText>[0];

/** Narrower than this nothing is broken. */
const NARROWEST = 20;

/** What a text is written on: its width in columns, where there is one, and whether it shows colours. */
export interface Paper {
  readonly width?: number;
  readonly colours: boolean;
}

/** Standard output: endless and plain unless it is a terminal; NO_COLOR and FORCE_COLOR count. */
export function paperOf(output: NodeJS.WriteStream): Paper {
  if (!output.isTTY) return { colours: false };
  return { width: output.columns, colours: output.hasColors() };
}

/** A text in a style; as it is where there are no colours. */
export function painted(paper: Paper, style: Style, text: string): string {
  // The stream was looked at when the paper was made.
  return paper.colours ? styleText(style, text, { validateStream: false }) : text;
}

const STYLES: Readonly<Record<Severity, Style>> = {
  critical: ['bold', 'red'],
  high: 'red',
  medium: 'yellow',
  low: 'cyan',
  negligible: 'gray',
  unknown: 'gray',
  none: 'gray',
};

/** The style of a severity. */
export function severityStyle(severity: Severity): Style {
  return STYLES[severity];
}

/** Text of others on one line of at most so many columns; what is cut off leaves `…`. */
export function cut(text: string, width: number): string {
  // Names can have a million characters: none is laid out whole.
  const plain = oneLine(text.slice(0, 4 * width));
  if (text.length <= 4 * width && widthOf(plain) <= width) return plain;
  return `${charactersOf(plain)
    .slice(0, Math.max(0, width - 1))
    .join('')}…`;
}

/** A text broken at spaces to fit the paper; further lines are indented by two more than the first. */
export function wrapped(text: string, { width }: Paper, indent = ''): string {
  if (width === undefined || width < NARROWEST) return indent + text;
  const lines: string[] = [];
  let line = indent;
  let empty = true;
  for (const word of text.split(' ')) {
    const longer = empty ? line + word : `${line} ${word}`;
    if (!empty && widthOf(longer) > width) {
      lines.push(line);
      line = `${indent}  ${word}`;
    } else line = longer;
    empty = false;
  }
  return [...lines, line].join('\n');
}
