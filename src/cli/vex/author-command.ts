import { readFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { addVexAuthor, listVexAuthors, retireVexAuthor, type VexAuthorView } from '../../api/contract/vex.ts';
import type { VexStatus } from '../../model/finding.ts';
import { messageOf } from '../../platform/errors.ts';
import { VEX_STATUSES } from '../../vex/author.ts';
import type { Cli } from '../cli.ts';
import { type ApiClient, withServer } from '../client.ts';
import { CliError } from '../exit.ts';
import { day, endOf, minute, startOf } from '../moments.ts';
import { facts, type OutputOptions, printAs, table, withOutput } from '../output.ts';

interface AddOptions extends OutputOptions {
  readonly key: string;
  readonly product: readonly string[];
  readonly status: readonly VexStatus[];
  readonly criteria: string;
  readonly findings: string;
  readonly owner: string;
  readonly reviewDue: string;
}

/** `breakwater vex author …`. */
export function authorCommand(cli: Cli): Command {
  const author = new Command('author').description('whose statements count, and what they may speak of');
  withOutput(author.command('add'))
    .description('declare an author by its public key')
    .argument('<name>', 'as findings and policies name it')
    .requiredOption('--key <file>', 'public key in PEM: ECDSA on P-256, Ed25519 or RSA')
    .requiredOption('--product <glob...>', 'what it may speak of: pkg:deb/debian/* or repositories like front/**')
    .addOption(
      new Option('--status <status...>', 'what it may say')
        .choices([...VEX_STATUSES])
        .default([...VEX_STATUSES], 'all of them'),
    )
    .requiredOption('--criteria <text>', 'what was asked of it: how it finds out, who signs, where the key lies')
    .requiredOption('--findings <text>', 'what was found')
    .requiredOption('--owner <name>', 'who answers for it')
    .requiredOption('--review-due <date>', 'by then somebody looks again', endOf)
    .addHelpText(
      'after',
      `
Example:
  breakwater vex author add "Acme security" --key cosign.pub --product 'front/**' --status not_affected affected \\
    --criteria "reviews call graphs" --findings "key in a module, two people sign" --owner security --review-due 2027-06-30`,
    )
    .action(async (name: string, options: AddOptions) => {
      const { product, status, criteria, findings, owner, reviewDue } = options;
      const key = await readText(options.key);
      const body = { name, key, products: [...product], statuses: [...status], criteria, findings, owner, reviewDue };
      printAuthor(cli, options, await withServer(cli, (api) => api.call(addVexAuthor, { body })));
    });
  withOutput(author.command('list'))
    .description('declared authors, retired ones too')
    .action(async (options: OutputOptions) => {
      const { items } = await withServer(cli, (api) => api.call(listVexAuthors));
      printAs(cli, options, items, () => authorTable(items));
    });
  withOutput(author.command('retire'))
    .description('let nothing of an author count any more')
    .argument('<author>', 'name or id')
    .requiredOption('--reason <text>', 'why')
    .option(
      '--revoked-at <moment>',
      'its key was lost then: what came before goes on counting, nothing later does',
      startOf,
    )
    .action(
      async (wanted: string, options: OutputOptions & { readonly reason: string; readonly revokedAt?: string }) => {
        const { reason, revokedAt } = options;
        const body = { reason, ...(revokedAt === undefined ? {} : { revokedAt }) };
        const retired = await withServer(cli, async (api) =>
          api.call(retireVexAuthor, { params: { id: await authorId(api, wanted) }, body }),
        );
        printAuthor(cli, options, retired);
      },
    );
  return author;
}

async function authorId(api: ApiClient, wanted: string): Promise<string> {
  const { items } = await api.call(listVexAuthors);
  return items.find(({ id, name }) => id === wanted || name === wanted)?.id ?? wanted;
}

async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw new CliError('failed', `${path} could not be read: ${messageOf(error)}`, { cause: error });
  });
}

function printAuthor(cli: Cli, options: OutputOptions, author: VexAuthorView): void {
  printAs(cli, options, author, () =>
    facts([
      ['id', author.id],
      ['name', author.name],
      ['key', author.fingerprint],
      ['state', author.state],
      ['may speak of', author.products.join(', ')],
      ['may say', author.statuses.join(', ')],
      ['criteria', author.criteria],
      ['findings', author.findings],
      ['owner', author.owner],
      ['review due', day(author.reviewDue)],
      ['declared', `${minute(author.addedAt)} by ${author.addedBy}`],
      [
        'retired',
        author.retiredAt && `${minute(author.retiredAt)} by ${author.retiredBy}: ${author.retireReason ?? ''}`,
      ],
      ['key revoked', author.revokedAt && minute(author.revokedAt)],
    ]),
  );
}

function authorTable(items: readonly VexAuthorView[]): string {
  if (items.length === 0) return 'No author is declared: no VEX counts. See: breakwater vex author add --help';
  return table(
    ['name', 'state', 'may speak of', 'may say', 'owner', 'review due', 'key'],
    items.map(({ name, state, products, statuses, owner, reviewDue, fingerprint }) => [
      name,
      state,
      products.join(', '),
      statuses.join(', '),
      owner,
      day(reviewDue),
      fingerprint.slice(0, 'sha256:'.length + 12),
    ]),
  );
}
