import { resolve } from 'node:path';
import { Command } from 'commander';
import type { Digest } from '../../oci/digest.ts';
import { systemClock, toRfc3339 } from '../../platform/clock.ts';
import { counted } from '../../platform/counted.ts';
import { makeFolder } from '../../platform/make-folder.ts';
import type { Cli } from '../cli.ts';
import { CliError, EXIT } from '../exit.ts';
import { bytes, facts, type OutputOptions, printAs, withOutput } from '../output.ts';

interface CreateOptions extends OutputOptions {
  readonly link?: boolean;
  readonly prune?: boolean;
  readonly blobs: boolean;
}

const SAID_EVERY_MS = 15_000;

/** `breakwater backup create|verify|restore`. */
export function backupCommand(cli: Cli): Command {
  const backup = new Command('backup').description('the data folder, while its server runs, and back again');
  withOutput(backup.command('create', { isDefault: true }))
    .description('back up database, blobs and keys; the server may run ("create" may be left out)')
    .argument('<folder>', 'an empty folder, or one with an earlier backup, which then gets only what is new')
    .option('--link', 'link the files of blobs instead of copying them: quick, no help against a failing disk')
    .option('--prune', 'throw away blobs that only the earlier backup needs')
    .option('--no-blobs', 'leave blobs out, as they are backed up in another way')
    .addHelpText('after', '\nExample:\n  BREAKWATER_DATA_DIR=/var/lib/breakwater breakwater backup /mnt/backup')
    .action((folder: string, options: CreateOptions) => create(cli, resolve(folder), options));
  withOutput(backup.command('verify'))
    .description('read every byte of a backup; ends with 1 when something is wrong')
    .argument('<folder>')
    .action((folder: string, options: OutputOptions) => verify(cli, resolve(folder), options));
  withOutput(backup.command('restore'))
    .description('put a backup into a data folder without a database')
    .argument('<folder>')
    .addHelpText('after', '\nExample:\n  BREAKWATER_DATA_DIR=/var/lib/breakwater breakwater backup restore /mnt/backup')
    .action((folder: string, options: OutputOptions) => restore(cli, resolve(folder), options));
  return backup;
}

async function create(cli: Cli, folder: string, options: CreateOptions): Promise<void> {
  const config = await cli.config();
  if (config.databaseUrl !== undefined)
    throw new CliError(
      'usage',
      'the database is PostgreSQL (BREAKWATER_DATABASE_URL): back it up with pg_dump first and the blobs after it, see docs/operations.md',
    );
  const { makeBackup } = await import('../../backup/make.ts');
  let saidAt = systemClock.now();
  const blobs = options.blobs ? await openBlobs(cli) : undefined;
  const result = await withFolder(folder, () =>
    makeBackup({ dataDir: config.dataDir, clock: systemClock, blobs }, folder, {
      link: options.link === true,
      prune: options.prune === true,
      onProblem: sayBlob(cli, 'not backed up'),
      onProgress({ blobs: seen, copied, bytes: size }) {
        const now = systemClock.now();
        if (now - saidAt < SAID_EVERY_MS) return;
        saidAt = now;
        cli.note(`looked at ${counted(seen, 'blob')}, copied ${copied} (${bytes(size)})`);
      },
    }),
  );
  printAs(cli, options, result, () =>
    facts([
      ['backup', `${folder}, as of ${toRfc3339(result.at)}`],
      ['database', bytes(result.database.size)],
      ['blobs', result.blobs && `${result.blobs.count} (${bytes(result.blobs.bytes)})`],
      ['copied now', `${counted(result.copied.blobs, 'blob')} (${bytes(result.copied.bytes)})`],
      ['pruned', options.prune ? counted(result.pruned, 'blob') : undefined],
      ['key', keyText(result.files)],
      ['missing', result.problems === 0 ? undefined : `${counted(result.problems, 'blob')}, named above`],
    ]),
  );
  if (result.problems > 0) cli.exitWith(EXIT.negative);
}

function keyText(files: readonly { readonly path: string }[]): string {
  return files.some(({ path }) => path === 'secret.key')
    ? 'secret.key is in the backup: keep the folder as safe as the server'
    : 'not in the backup: keep BREAKWATER_SECRET_KEY elsewhere';
}

async function verify(cli: Cli, folder: string, options: OutputOptions): Promise<void> {
  const { verifyBackup } = await import('../../backup/verify.ts');
  const result = await verifyBackup(folder);
  for (const problem of result.problems) cli.note(`wrong: ${problem}`);
  printAs(cli, options, result, () =>
    facts([
      ['backup', `${folder}, as of ${toRfc3339(result.document.at)}`],
      ['blobs', result.document.blobs ? `${result.blobs} (${bytes(result.bytes)})` : 'left out'],
      ['ledger', counted(result.ledgerLines, 'line')],
      ['result', result.problems.length === 0 ? 'sound' : `${counted(result.problems.length, 'fault')}, named above`],
    ]),
  );
  if (result.problems.length > 0) cli.exitWith(EXIT.negative);
}

async function restore(cli: Cli, folder: string, options: OutputOptions): Promise<void> {
  const config = await cli.config();
  if (config.databaseUrl !== undefined)
    throw new CliError(
      'usage',
      'this backup holds a SQLite database; leave BREAKWATER_DATABASE_URL unset to restore it',
    );
  const { restoreBackup } = await import('../../backup/restore.ts');
  await makeFolder(config.dataDir, 0o700);
  const result = await withFolder(config.dataDir, async () => {
    const blobs = await openBlobs(cli);
    const deps = { dataDir: config.dataDir, blobs };
    return restoreBackup(deps, folder, sayBlob(cli, 'not restored'));
  });
  printAs(cli, options, result, () =>
    facts([
      ['restored', `${config.dataDir}, as of ${toRfc3339(result.document.at)}`],
      ['blobs', result.document.blobs ? `${result.blobs} (${bytes(result.bytes)})` : 'left out of the backup'],
      ['missing', result.problems === 0 ? undefined : `${counted(result.problems, 'blob')}, named above`],
      ['next', 'start the server: breakwater serve'],
    ]),
  );
  if (result.problems > 0) cli.exitWith(EXIT.negative);
}

function sayBlob(cli: Cli, what: string): (digest: Digest, reason: string) => void {
  return (digest, reason) => cli.note(`${what}: ${digest}: ${reason}`);
}

async function openBlobs(cli: Cli) {
  const { openBlobs: open } = cli.programs;
  if (!open) throw new CliError('failed', 'this program was started without its server');
  return open(await cli.config());
}

/** Nobody else may write into the folder meanwhile: no server, no second backup. */
async function withFolder<Result>(folder: string, work: () => Promise<Result>): Promise<Result> {
  const { lockFolder } = await import('../../db/folder-lock.ts');
  await makeFolder(folder, 0o700);
  const lock = lockFolder(folder);
  try {
    return await work();
  } finally {
    lock.release();
  }
}
