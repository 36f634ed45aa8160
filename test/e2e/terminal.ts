import type { Outcome, RunOptions } from '../support/program.ts';

const DIM = '\u001B[2m';
const BOLD = '\u001B[1m';
const PLAIN = '\u001B[0m';
const colours = process.stdout.isTTY;

/** Prints the title of a step. */
export function heading(text: string): void {
  console.log(`\n${styled(BOLD, `== ${text}`)}`);
}

/** Prints a sentence between commands. */
export function say(text: string): void {
  console.log(`\n${styled(DIM, `# ${text}`)}`);
}

/** A command as one of the users types it. */
export interface Typed {
  readonly user: string;
  readonly command: string;
  /** Longest part of the output to show, in lines; the rest is counted. */
  readonly lines?: number;
}

const LINES = 24;

/** Shows a command and what it printed, as the user's terminal does, and hands the outcome on. */
export async function shown(typed: Typed, outcome: Promise<Outcome>): Promise<Outcome> {
  console.log(`\n${styled(BOLD, `${typed.user}$ ${typed.command}`)}`);
  const finished = await outcome;
  print(finished.screen, typed.lines ?? LINES);
  if (finished.code !== 0) console.log(styled(DIM, `(exit code ${finished.code})`));
  return finished;
}

/** Words of a command line in the form they would be typed. */
export function typedWords(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@%+=:,./*-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`))
    .join(' ');
}

/** What is sent to a command, as a pipe in front of it. */
export function typedInput({ input }: RunOptions): string {
  if (input === undefined) return '';
  return input.includes('\n') ? 'cat … | ' : `echo ${typedWords([input])} | `;
}

function print(text: string, most: number): void {
  // Progress bars draw over their own line; the last state is what stays on the screen.
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => line.slice(line.lastIndexOf('\r') + 1).trimEnd());
  for (const line of lines.slice(0, most)) console.log(`  ${line}`);
  if (lines.length > most) console.log(styled(DIM, `  … and ${lines.length - most} more lines`));
}

function styled(style: string, text: string): string {
  return colours ? `${style}${text}${PLAIN}` : text;
}
