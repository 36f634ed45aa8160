import { type Command, Option } from 'commander';
import { oneLine } from '../platform/one-line.ts';
import { printableJson } from '../platform/printable-json.ts';
import type { Cli } from './cli.ts';

export { formatBytes as bytes } from '../platform/byte-size.ts';

type OutputForm = 'text' | 'json';

export interface OutputOptions {
  readonly output: OutputForm;
}

/** Adds `-o text|json`. */
export function withOutput(command: Command): Command {
  return command.addOption(
    new Option('-o, --output <form>', 'how to print it').choices(['text', 'json']).default('text'),
  );
}

/** Prints a value in the asked form; `text` is only computed when it is wanted. */
export function printAs(cli: Pick<Cli, 'print'>, { output }: OutputOptions, value: unknown, text: () => string): void {
  cli.print(output === 'json' ? printableJson(value) : text());
}

/** Rows as columns under headings, two spaces apart, without trailing white space. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [headings.map((heading) => heading.toUpperCase()), ...rows.map((row) => row.map(oneLine))];
  const widths = headings.map((_, at) => Math.max(...lines.map((line) => widthOf(line[at] ?? ''))));
  return lines
    .map((line) =>
      line
        .map((cell, at) => cell + ' '.repeat((widths[at] ?? 0) - widthOf(cell)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** `name   value` lines with the values in one column; what is undefined is left out. */
export function facts(entries: readonly (readonly [name: string, value: string | undefined])[]): string {
  const known = entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  const width = Math.max(0, ...known.map(([name]) => name.length));
  return known.map(([name, value]) => `${name.padEnd(width)}  ${oneLine(value)}`).join('\n');
}

/** Made when a text needs it: it takes longer to load than all else here. */
let characters: Intl.Segmenter | undefined;

/** The characters of a text as people count them. */
export function charactersOf(text: string): readonly string[] {
  return Array.from(
    (characters ??= new Intl.Segmenter('en', { granularity: 'grapheme' })).segment(text),
    ({ segment }) => segment,
  );
}

/** Columns a text takes. */
export function widthOf(text: string): number {
  return /^[\x20-\x7e]*$/.test(text) ? text.length : charactersOf(text).length;
}
