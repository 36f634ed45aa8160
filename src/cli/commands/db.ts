import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Command } from 'commander';
import { counted } from '../../platform/counted.ts';
import type { BuildCommandOptions } from '../advisories/build.ts';
import type { FetchCommandOptions } from '../advisories/fetch.ts';
import type { FromOptions, PullOptions } from '../advisories/move.ts';
import type { Cli } from '../cli.ts';
import { CliError } from '../exit.ts';
import { facts, type OutputOptions, printAs, withOutput } from '../output.ts';
import { type SourceAccess, withSourceAccess } from '../registry-end.ts';

/** `breakwater db fetch|build|import|export|push|pull|status`. */
export function dbCommand(cli: Cli): Command {
  const db = new Command('db').description('the advisory database: what is known about packages, and from where');
  withOutput(db.command('fetch'))
    .description('fetch feeds into a folder, only what changed since the last time')
    .argument(
      '[sources...]',
      'osv:<Ecosystem>, alpine-secdb, debian-tracker, redhat-csaf, cvelist, nvd, cisa-kev, epss',
    )
    .requiredOption('--to <folder>', 'folder of feeds, for "db build --from"')
    .option('--source <kind=url...>', 'where to fetch a kind of source instead; several are tried in order')
    .addHelpText(
      'after',
      `
Without sources the usual ones are fetched (all but redhat-csaf, cvelist and nvd). What cannot be had is
reported, and what was there before stays.

Examples:
  breakwater db fetch --to feeds
  breakwater db fetch osv:Debian osv:npm cisa-kev --to feeds
  breakwater db fetch --to feeds --source osv=https://mirror.example/osv`,
    )
    .action(async (sources: string[], options: FetchCommandOptions) => {
      const { fetchCommand } = await import('../advisories/fetch.ts');
      await fetchCommand(cli, sources, options);
    });
  withOutput(db.command('build'))
    .description('build a database file from a folder of feeds')
    .requiredOption('--from <folder>', 'folder with the feed files')
    .requiredOption('--out <file>', 'file to write; packed when its name ends in .zst')
    .option(
      '--completeness <file>',
      'statement which feeds are complete (default: breakwater-feeds.json in the folder)',
    )
    .addHelpText(
      'after',
      `
Examples:
  breakwater db fetch --to feeds
  breakwater db build --from feeds --out advisories.sqlite.zst
  breakwater db import advisories.sqlite.zst`,
    )
    .action(async (options: BuildCommandOptions) => {
      const { buildDatabase } = await import('../advisories/build.ts');
      await buildDatabase(cli, options);
    });
  withOutput(db.command('import'))
    .description('hand a database file to the server, which judges everything stored by it at once')
    .argument('<file>', 'a file of "db build"')
    .action(async (file: string, options: OutputOptions) => importFile(cli, file, options));
  withOutput(db.command('export'))
    .description('write the database installed on this machine, or the one that ships, into a file')
    .argument('<file>', 'file to write; packed when its name ends in .zst')
    .option('--db <file>', 'a database file instead')
    .action(async (file: string, options: FromOptions) => {
      const { exportDatabase } = await import('../advisories/move.ts');
      await exportDatabase(cli, file, options);
    });
  withSourceAccess(withOutput(db.command('push')))
    .description('push the database installed on this machine to a registry, as an OCI artifact')
    .argument('<reference>', 'where to, like registry.example/security/advisories:latest')
    .option('--db <file>', 'a database file instead')
    .action(async (reference: string, options: FromOptions & SourceAccess) => {
      const { pushDatabase } = await import('../advisories/move.ts');
      await pushDatabase(cli, reference, options);
    });
  withSourceAccess(withOutput(db.command('pull')))
    .description('pull a database from a registry, verify it, and hand it to the server')
    .argument('<reference>', 'what "db push" made')
    .option('--out <file>', 'write it to a file instead; packed when its name ends in .zst')
    .action(async (reference: string, options: PullOptions & SourceAccess) => {
      const { pullDatabase } = await import('../advisories/move.ts');
      await pullDatabase(cli, reference, options);
    });
  withOutput(db.command('status'))
    .description('the database the server uses, its sources and their age')
    .action(async (options: OutputOptions) => showStatus(cli, options));
  return db;
}

async function importFile(cli: Cli, file: string, options: OutputOptions): Promise<void> {
  const info = await stat(file);
  if (!info.isFile()) throw new CliError('usage', `${file} is no file; give one that "breakwater db build" made`);
  const [{ withServer }, { importAdvisories }] = await Promise.all([
    import('../client.ts'),
    import('../../api/contract/operations.ts'),
  ]);
  const done = await withServer(cli, (api) =>
    api.upload(importAdvisories, { content: createReadStream(file), size: info.size }),
  );
  printAs(cli, options, done, () =>
    done.changed
      ? `The server uses ${done.version}, built ${done.builtAt}; what is stored is being judged again.`
      : `The server uses ${done.version} already.`,
  );
}

async function showStatus(cli: Cli, options: OutputOptions): Promise<void> {
  const [{ withServer }, { getAdvisories }, { sourceTable }] = await Promise.all([
    import('../client.ts'),
    import('../../api/contract/operations.ts'),
    import('../advisories/sources.ts'),
  ]);
  const status = await withServer(cli, (api) => api.call(getAdvisories));
  printAs(cli, options, status, () => {
    const { database } = status;
    if (!database) return 'The server has no advisory database; see "breakwater db import --help".';
    const age = database.ageDays < 1 ? 'today' : `${counted(Math.floor(database.ageDays), 'day')} ago`;
    return `${facts([
      ['version', database.version],
      ['built', `${database.builtAt} (${age})`],
    ])}\n\n${sourceTable(database.sources)}`;
  });
}
