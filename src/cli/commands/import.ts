import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { Command, Option } from 'commander';
import type { ImportSource } from '../../importer/ports.ts';
import { createReport, type ImportReport } from '../../importer/report.ts';
import { parseReference } from '../../oci/reference.ts';
import { createHttpClient, type HttpClient } from '../../platform/http-client.ts';
import type { Cli } from '../cli.ts';
import { currentLogin } from '../credentials.ts';
import { CliError } from '../exit.ts';
import { type ImportOptions, withImportOptions } from '../import/options.ts';
import { createSaidPatience, noteProblem, printReport, runImport } from '../import/run.ts';
import { type SourceAccess, sourceClient, withSourceAccess } from '../registry-end.ts';

interface FolderOptions extends ImportOptions {
  readonly taggedOnly?: boolean;
  readonly offline?: boolean;
  readonly link?: boolean;
}

type RegistryOptions = ImportOptions & SourceAccess & { readonly repositories?: string };

/** A blob that is put together and synced, and a verdict, may take their time. */
const REPLY_TIMEOUT_MS = 10 * 60_000;

/** `breakwater import distribution|registry`. */
export function importCommand(cli: Cli): Command {
  const command = new Command('import').description('move from another registry, with everything in it');
  withImportOptions(command.command('distribution'))
    .description('import the storage folder of a CNCF Distribution ("registry:2", v3)')
    .argument('<folder>', 'what "rootdirectory" names in its configuration; it may be in use')
    .option('--tagged-only', 'leave manifests without a tag where they are')
    .option('--offline', 'write into the data folder of this machine, while no server uses it')
    .addOption(
      new Option('--link', 'with --offline: link the files instead of copying them, where one file system allows'),
    )
    .addHelpText(
      'after',
      `
Goes on where it stopped when it is run again, and then imports only what is new. Every byte is verified.

Examples:
  breakwater import distribution /var/lib/registry --dry-run
  breakwater import distribution /var/lib/registry --create-projects --default-project library
  breakwater import distribution /var/lib/registry --offline --link --project old`,
    )
    .action((folder: string, options: FolderOptions) => importFolder(cli, folder, options));
  withSourceAccess(withImportOptions(command.command('registry')))
    .description('import from a registry that runs, through this machine')
    .argument('<source>', 'its host, with a prefix of repository names or without: harbor.example.com/front')
    .option('--repositories <file>', 'names, one a line, for registries without a catalogue')
    .addHelpText(
      'after',
      `
All platforms, and what refers to the images. What the server has already is not sent; pauses that the source asks for are kept.

Examples:
  breakwater import registry harbor.example.com --source-user admin --source-password-stdin --create-projects < password
  breakwater import registry registry.example.com/team --filter "team/**:v*" --dry-run
  breakwater import registry docker.io --repositories names.txt --project hub-copy`,
    )
    .action((source: string, options: RegistryOptions) => importRegistry(cli, source, options));
  return command;
}

async function importFolder(cli: Cli, path: string, options: FolderOptions): Promise<void> {
  if (options.link && !options.offline)
    throw new CliError('usage', '--link needs --offline: a server that runs gets the content sent');
  const { openDistributionFolder } = await import('../../importer/distribution/source.ts');
  const report = createReport();
  const source = await openDistributionFolder(resolve(path), noteProblem(cli, report));
  if (options.offline) await importOffline(cli, { source, report, path }, options);
  else
    await throughServer(async (http) => {
      const { serverTarget } = await import('../import/server.ts');
      const target = await serverTarget(http, await currentLogin(await cli.config()), options);
      await runImport(cli, { source, target, report, patience: createSaidPatience(cli) }, options);
    });
  printReport(cli, options, report);
}

interface Offline {
  readonly source: ImportSource;
  readonly report: ImportReport;
  readonly path: string;
}

async function importOffline(cli: Cli, { source, report, path }: Offline, options: FolderOptions): Promise<void> {
  const { openStorage } = cli.programs;
  if (!openStorage) throw new CliError('failed', 'this program was started without its server');
  const [{ createStoreTarget }, { createProjectCheck }] = await Promise.all([
    import('../../importer/store-target.ts'),
    import('../../importer/projects.ts'),
  ]);
  const storage = await openStorage(await cli.config());
  const dryRun = options.dryRun === true;
  try {
    const requireProject = createProjectCheck(storage.projects, { create: options.createProjects === true, dryRun });
    const target = createStoreTarget(storage, { requireProject, link: options.link === true, actor: storage.actor });
    await runImport(cli, { source, target, report, patience: createSaidPatience(cli) }, options);
    const { firstProblems: _, ...counts } = report;
    const details = { source: basename(resolve(path)), ...counts };
    if (!dryRun) await storage.record({ action: 'import.run', target: 'installation', details });
  } finally {
    await storage.close();
  }
}

async function importRegistry(cli: Cli, text: string, options: RegistryOptions): Promise<void> {
  const { host, prefix } = parseSource(text);
  const names = options.repositories === undefined ? undefined : await readNames(options.repositories);
  const [{ createRegistrySource }, { serverTarget }] = await Promise.all([
    import('../../importer/registry-source.ts'),
    import('../import/server.ts'),
  ]);
  const report = createReport();
  await throughServer(async (http) => {
    const login = await currentLogin(await cli.config());
    const client = await sourceClient(cli, http, parseReference(`${host}/any`), options, login);
    const patience = createSaidPatience(cli);
    const source = createRegistrySource(client, { prefix, names, patience, onProblem: noteProblem(cli, report) });
    const target = await serverTarget(http, login, options);
    await runImport(cli, { source, target, report, patience }, options);
  });
  printReport(cli, options, report);
}

async function throughServer<Result>(work: (http: HttpClient) => Promise<Result>): Promise<Result> {
  const http = createHttpClient({ userAgent: 'breakwater', idleTimeoutMs: REPLY_TIMEOUT_MS });
  try {
    return await work(http);
  } finally {
    await http.close();
  }
}

/** `harbor.example.com/front`: a host, and what names begin with there. */
function parseSource(text: string): { readonly host: string; readonly prefix: string } {
  const [host = '', ...rest] = text
    .replace(/^https?:\/\//, '')
    .replace(/\/+$/, '')
    .split('/');
  const prefix = rest.join('/');
  // Checks both as parts of a reference; a single word would be a name on Docker Hub.
  if (parseReference(`${host}/${prefix === '' ? 'any' : prefix}`).registry !== host.toLowerCase())
    throw new CliError(
      'usage',
      `"${text}" names no registry; write it like harbor.example.com or harbor.example.com/front`,
    );
  return { host, prefix };
}

async function readNames(path: string): Promise<readonly string[]> {
  const lines = (await readFile(path, 'utf8')).split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !line.startsWith('#'));
}
