import { Command, InvalidArgumentError } from 'commander';
import type { z } from 'zod';
import { listLedger } from '../../api/contract/operations.ts';
import type { Cli } from '../cli.ts';
import { type ApiClient, withServer } from '../client.ts';
import { after, minute, startOf } from '../moments.ts';
import { type OutputOptions, printAs, table, withOutput } from '../output.ts';

type Entry = z.output<typeof listLedger.reply>['items'][number];

interface ListOptions extends OutputOptions {
  readonly from?: string;
  readonly to?: string;
  readonly target?: string;
  readonly actor?: string;
  readonly action?: string;
  readonly project?: string;
  readonly limit: number;
  readonly after?: string;
}

const PAGE = 1000;
const LONGEST_DETAILS = 120;

/** `breakwater ledger list`. */
export function ledgerCommand(cli: Cli): Command {
  const ledger = new Command('ledger').description('the audit log: who did what, when, in a chain of hashes');
  withOutput(ledger.command('list'))
    .description('entries, oldest first')
    .option('--from <date>', 'first day or moment', startOf)
    .option('--to <date>', 'last day, or the moment before which', after)
    .option('--target <name>', 'only what concerns this, like project/front')
    .option('--actor <name>', 'only what this account did')
    .option('--action <name>', 'only this, like robot.rotate, or everything of a kind, like robot')
    .option('--project <name>', 'only what concerns this project and what is in it')
    .option('--limit <count>', 'at most this many', count, PAGE)
    .option('--after <place>', 'go on behind this place of an earlier list')
    .addHelpText('after', '\nExample:\n  breakwater ledger list --from 2026-01-01 --project front --action manifest')
    .action(async (options: ListOptions) => {
      const { items, next } = await withServer(cli, (api) => readEntries(api, options));
      printAs(cli, options, items, () =>
        table(
          ['seq', 'at', 'who', 'did', 'to', 'details'],
          items.map(({ seq, at, actor, action, target, details }) => [
            String(seq),
            minute(at),
            actor,
            action,
            target,
            shorten(JSON.stringify(details)),
          ]),
        ),
      );
      if (next !== undefined) cli.note(`There is more: go on with --after ${next}`);
    });
  return ledger;
}

/** Page by page until the limit or the end; `next` is where it goes on. */
async function readEntries(api: ApiClient, options: ListOptions) {
  const { from, to, target, actor, action, project, limit, after } = options;
  const items: Entry[] = [];
  const filter = {
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(target === undefined ? {} : { target }),
    ...(actor === undefined ? {} : { actor }),
    ...(action === undefined ? {} : { action }),
    ...(project === undefined ? {} : { project }),
  };
  let place = after;
  do {
    const query = {
      ...filter,
      limit: Math.min(PAGE, limit - items.length),
      ...(place === undefined ? {} : { after: place }),
    };
    const page = await api.call(listLedger, { query });
    items.push(...page.items);
    place = page.next;
  } while (place !== undefined && items.length < limit);
  return { items, ...(place === undefined ? {} : { next: place }) };
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 1_000_000)
    throw new InvalidArgumentError('Write a whole number from 1 to 1000000.');
  return value;
}

function shorten(text: string): string {
  return text.length <= LONGEST_DETAILS ? text : `${text.slice(0, LONGEST_DETAILS - 3)}...`;
}
