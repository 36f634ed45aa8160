import { type Command, InvalidArgumentError } from 'commander';
import type { RiskException } from '../../api/contract/exceptions.ts';
import type { Cli } from '../cli.ts';
import { CliError } from '../exit.ts';
import type { exceptionCalls } from './calls.ts';
import { inOneLine } from './print.ts';

/** What a human read earlier: a revision, of the one with this id where several are decided together. */
interface Pinned {
  readonly id?: string;
  readonly revision: number;
}

export interface ToDecideOptions {
  readonly batch?: string;
  readonly revision?: readonly Pinned[];
}

/** Adds the options that say what is decided about. */
export function withToDecide(command: Command): Command {
  return command
    .option('--batch <id>', 'all that were asked for together')
    .option(
      '--revision <number>',
      'what you read, as "exception show" gives it; of several ID=NUMBER, once for each that was edited',
      pinned,
    );
}

/**
 * Reads the requests that were named, or the undecided ones of what was asked for together, and says what is about to be decided.
 * Throws `CliError('usage')` for one that was edited, unless what it is now is what was named with `--revision`.
 */
export async function readToDecide(
  cli: Pick<Cli, 'note'>,
  calls: ReturnType<typeof exceptionCalls>,
  named: readonly string[],
  { word, ...options }: ToDecideOptions & { readonly word: 'grant' | 'deny' },
): Promise<RiskException[]> {
  const read = await requestsFor(calls, named, options.batch);
  const open = read.filter(({ state }) => state === 'requested');
  const revisionOf = revisionsFor(read, options.revision ?? []);
  for (const request of open) {
    const wanted = revisionOf(request.id) ?? 1;
    if (wanted !== request.revision) throw edited(request, word, read.length > 1);
  }
  for (const request of open) cli.note(`${word}: ${inOneLine(request)} (revision ${request.revision})`);
  return read;
}

function edited(request: RiskException, word: string, isOneOfSeveral: boolean): CliError {
  const { id, revision } = request;
  const way = `--revision ${isOneOfSeveral ? `${id}=` : ''}${revision}`;
  const what = revision === 1 ? 'was never edited' : 'was edited since it was asked for';
  return new CliError(
    'usage',
    `exception ${id} ${what}; it is now revision ${revision}: ${inOneLine(request)}; ${word} it with ${way}`,
  );
}

function revisionsFor(
  read: readonly RiskException[],
  revisions: readonly Pinned[],
): (id: string) => number | undefined {
  for (const { id } of revisions) {
    if (id === undefined && read.length > 1)
      throw new CliError('usage', 'these are several: say which one was read, --revision ID=NUMBER');
    if (id !== undefined && !read.some((one) => one.id === id))
      throw new CliError('usage', `--revision names ${id}, which is not among what is to be decided`);
  }
  return (wanted) => revisions.findLast(({ id = wanted }) => id === wanted)?.revision;
}

async function requestsFor(
  calls: ReturnType<typeof exceptionCalls>,
  named: readonly string[],
  batch: string | undefined,
): Promise<RiskException[]> {
  if (batch !== undefined && named.length > 0) throw new CliError('usage', 'give either ids or --batch');
  if (batch === undefined) {
    if (named.length === 0) throw new CliError('usage', 'name at least one id, or give --batch');
    const read: RiskException[] = [];
    for (const id of named) read.push(await calls.get(id));
    return read;
  }
  const open = await calls.list({ batch, state: 'requested' });
  if (open.length === 0) throw new CliError('usage', `nothing that was asked for as ${batch} is undecided`);
  return open;
}

function pinned(text: string, before: readonly Pinned[] = []): readonly Pinned[] {
  const [, id, number] = /^(?:([^\s=]{1,64})=)?([1-9]\d{0,8})$/.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError('Write a number like 2, or of several ID=2.');
  return [...before, { ...(id === undefined ? {} : { id }), revision: Number(number) }];
}
