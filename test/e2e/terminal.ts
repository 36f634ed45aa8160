import assert from 'node:assert/strict';
import { type Outcome, type RunOptions, run } from '../support/program.ts';

/** A terminal as somebody would sit at: shows every command and what it prints, and keeps what was shown. */
export interface Terminal {
  /** Says what comes next. */
  say(text: string): void;
  /** Shows text as a program's output. */
  print(text: string): void;
  /** Shows a command line and runs it. `exit` is the exit code it must end with, 0 unless told. */
  run(shown: string, program: string, args: readonly string[], options?: ShownOptions): Promise<Outcome>;
  /** Shows a command line and what an already made call of it gives. */
  show(shown: string, running: Promise<Outcome>, options?: Pick<ShownOptions, 'exit' | 'quiet'>): Promise<Outcome>;
  /** A part that whoever started the run said to leave out. */
  leaveOut(name: string): void;
  /** What was left out so far. */
  readonly leftOut: readonly string[];
}

export interface ShownOptions extends RunOptions {
  readonly exit?: number | 'not 0';
  /** Longest output that is shown whole, in lines; more is cut in the middle. */
  readonly quiet?: number;
}

const MOST_LINES = 40;

export function openTerminal(write: (text: string) => void): Terminal {
  const leftOut: string[] = [];
  async function show(
    shown: string,
    running: Promise<Outcome>,
    options: Pick<ShownOptions, 'exit' | 'quiet'> = {},
  ): Promise<Outcome> {
    write(`$ ${shown}\n`);
    const outcome = await running;
    write(indented(shortened(outcome.screen, options.quiet ?? MOST_LINES)));
    const wanted = options.exit ?? 0;
    const good = wanted === 'not 0' ? outcome.code !== 0 : outcome.code === wanted;
    assert.ok(good, `"${shown}" ended with ${outcome.code} instead of ${wanted}:\n${outcome.screen}`);
    return outcome;
  }
  return {
    leftOut,
    say: (text) => write(`\n# ${text}\n`),
    print: (text) => write(indented(text)),
    show,
    run: (shown, program, args, options = {}) => show(shown, run(program, args, options), options),
    leaveOut(name) {
      leftOut.push(name);
      write(`\n(left out: ${name})\n`);
    },
  };
}

function shortened(text: string, most: number): string {
  const lines = text.replace(/\n$/, '').split('\n');
  if (lines.length <= most) return text;
  const head = Math.ceil(most / 2);
  const tail = most - head;
  const end = tail === 0 ? [] : lines.slice(-tail);
  return [...lines.slice(0, head), `… ${lines.length - most} lines …`, ...end].join('\n');
}

function indented(text: string): string {
  if (text === '') return '';
  return `${text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => `  ${line}`.trimEnd())
    .join('\n')}\n`;
}
