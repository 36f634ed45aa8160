import { createInterface, type Interface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { readBounded, StreamError } from '../platform/streams.ts';
import type { Cli } from './cli.ts';
import { CliError } from './exit.ts';

type Ends = Pick<Cli, 'input' | 'screen'>;

const LONGEST_SECRET = 65_536;

/** Asks one line on the terminal; an empty answer gives the default. */
export async function ask(cli: Ends, question: string, fallback: string): Promise<string> {
  const lines = createInterface({ input: cli.input, output: cli.screen, terminal: true });
  return (await answer(lines, `${question} [${fallback}]: `)).trim() || fallback;
}

/**
 * A secret: with `fromInput` all of standard input without its last line end, else asked on the terminal without showing it.
 * Throws `CliError('usage')` when there is no terminal or nothing came.
 */
export async function readSecret(
  cli: Ends,
  options: { readonly fromInput: boolean; readonly question: string; readonly flag: string },
): Promise<string> {
  if (!options.fromInput && !cli.input.isTTY)
    throw new CliError('usage', `there is no terminal to ask on; hand the password in with ${options.flag}`);
  const secret = options.fromInput ? await readInput(cli) : await askHidden(cli, options.question);
  if (secret === '')
    throw new CliError('usage', `no password was given${options.fromInput ? ' on standard input' : ''}`);
  return secret;
}

/** What comes on standard input, as long as a secret may be, without its last line break. Throws `CliError('usage')`. */
export async function readInput({ input }: Pick<Ends, 'input'>): Promise<string> {
  try {
    const bytes = await readBounded(input, LONGEST_SECRET, 'what came on standard input');
    return bytes.toString('utf8').replace(/\r?\n$/, '');
  } catch (error) {
    if (error instanceof StreamError) throw new CliError('usage', error.message, { cause: error });
    throw error;
  }
}

async function askHidden({ input, screen }: Ends, question: string): Promise<string> {
  screen.write(`${question}: `);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  try {
    return await answer(createInterface({ input, output: nowhere, terminal: true }), '');
  } finally {
    screen.write('\n');
  }
}

/** One line; Ctrl-C and the end of the input are an error instead of a question that is never answered. */
async function answer(lines: Interface, question: string): Promise<string> {
  const ended = new AbortController();
  lines.once('close', () => ended.abort());
  try {
    return await lines.question(question, { signal: ended.signal });
  } catch (error) {
    if (ended.signal.aborted) throw new CliError('failed', 'interrupted; nothing was changed', { cause: error });
    throw error;
  } finally {
    lines.close();
  }
}
