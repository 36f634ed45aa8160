import { Command, Option } from 'commander';
import type { RiskException, WantedException } from '../../api/contract/exceptions.ts';
import { MOST_AT_ONCE } from '../../exceptions/exception.ts';
import { counted } from '../../platform/counted.ts';
import { defined } from '../../platform/defined.ts';
import type { Cli } from '../cli.ts';
import { withServer } from '../client.ts';
import { exceptionCalls } from '../exceptions/calls.ts';
import {
  type NarrowingOptions,
  narrowingIn,
  subjectIn,
  wholeNumber,
  withNarrowing,
  withSubject,
} from '../exceptions/options.ts';
import { partsOf } from '../exceptions/parts.ts';
import { type Place, type PlaceOptions, placeAmong, withPlace, wordsOf } from '../exceptions/place.ts';
import { printException, printExceptions } from '../exceptions/print.ts';
import { type FileFormat, FORMATS, readExceptionFile } from '../exceptions/read-file.ts';
import { readToDecide, type ToDecideOptions, withToDecide } from '../exceptions/to-decide.ts';
import { completed, type FileEntries, type Told } from '../exceptions/wanted.ts';
import { CliError } from '../exit.ts';
import { untilOf } from '../moments.ts';
import { type OutputOptions, withOutput } from '../output.ts';

type SubjectOptions = Parameters<typeof subjectIn>[0];
type Common = OutputOptions & PlaceOptions;
interface RequestOptions extends Common, SubjectOptions, Told {
  readonly file?: string;
}
interface ImportOptions extends Common, Told {
  readonly format?: FileFormat;
}
interface DecisionOptions extends Common {
  readonly reason: string;
  readonly until?: string;
}
type DenyOptions = DecisionOptions & ToDecideOptions;
type GrantOptions = DenyOptions & NarrowingOptions & { readonly fixDays?: number };
interface EditOptions extends Common, SubjectOptions, Told {
  readonly vulnerability?: string;
}
interface RenewOptions extends Common {
  readonly until: string;
  readonly reason: string;
  readonly ticket?: string;
}
type ListOptions = Common & { readonly state?: RiskException['state']; readonly batch?: string };

const UNTIL = 'last day (to its end, UTC), a moment in RFC 3339, or a span from now like +30d';
const WORDS = '<words...>';
const ONE = 'the project and the id; with --everywhere the id alone';
const SEVERAL = 'the project and ids; with --everywhere ids alone';

/** `breakwater exception …`. */
export function exceptionCommand(cli: Cli): Command {
  const exception = new Command('exception').description('dated exceptions from the policy of a project, or of all');
  addRequest(exception, cli);
  addImport(exception, cli);
  addEdit(exception, cli);
  addGrant(exception, cli);
  addDeny(exception, cli);
  addRenew(exception, cli);
  addRevoke(exception, cli);
  addShow(exception, cli);
  addList(exception, cli);
  return exception;
}

function common(command: Command): Command {
  return withPlace(withOutput(command));
}

function withTold(command: Command): Command {
  return command
    .option('--until <date>', UNTIL, (text: string) => untilOf(text))
    .option('--reason <text>', 'why it may run meanwhile')
    .option('--owner <name>', 'who answers for the risk')
    .option('--ticket <text>', 'where it is followed up');
}

function addRequest(exception: Command, cli: Cli): void {
  withTold(withSubject(common(exception.command('request'))))
    .description('ask that vulnerabilities, or a rule for one image, do not count, for a reason and a time')
    .argument(
      '[words...]',
      'the project (an image like front/alpine:3.20 limits it to that repository), then ids such as CVE-2024-1234',
    )
    .option('--file <file>', 'take several from a file (YAML or JSON; - for standard input)')
    .addHelpText(
      'after',
      `
Examples:
  breakwater exception request front CVE-2024-12345 --until 2027-01-31 --reason "not reachable: no TLS is used"
  breakwater exception request front/alpine:3.20 CVE-2024-12345 --package openssl --package-type apk \\
    --versions "< 3.3.2-r1" --until +30d --reason "…"
  breakwater exception request front CVE-2024-12345 --kind until-fixed --fix-days 14 --until +90d --reason "…"
  breakwater exception request front --rule end-of-life --digest sha256:… --until +60d --reason "…"
  breakwater exception request front --file exceptions.yaml`,
    )
    .action(async (words: readonly string[], options: RequestOptions) => {
      const { place, rest } = placeAmong(words, options);
      if (place.repository !== undefined && options.repository !== undefined)
        throw new CliError('usage', `"${words[0]}" names a repository already; leave --repository out`);
      const repository = place.repository ?? options.repository;
      const told = { ...options, repository };
      const wanted =
        options.file === undefined
          ? askedFor(rest, told)
          : completed((await readExceptionFile(cli, options.file, 'requests')).entries, told);
      await ask(cli, options, place, wanted, options.file !== undefined);
    });
}

function askedFor(ids: readonly string[], options: RequestOptions): WantedException[] {
  const { rule, until, reason, owner, ticket } = options;
  if (rule === undefined && ids.length === 0)
    throw new CliError('usage', 'name a vulnerability such as CVE-2024-1234, or give --rule or --file');
  const subject = subjectIn(options);
  const entries = ids.length === 0 ? [subject] : ids.map((vulnerability) => ({ vulnerability, ...subject }));
  return completed(entries, defined({ until, reason, owner, ticket }));
}

async function ask(
  cli: Cli,
  options: OutputOptions,
  place: Place,
  wanted: readonly WantedException[],
  asList: boolean,
): Promise<void> {
  const [first, ...others] = wanted;
  if (!first) throw new CliError('usage', 'there is nothing to ask for');
  if (others.length === 0 && !asList) {
    const made = await withServer(cli, (api) => exceptionCalls(api, place).request(first));
    printException(cli, options, made);
    cli.note(
      `It counts once somebody else grants it: breakwater exception grant ${wordsOf(place)} ${made.id} --reason "…"`,
    );
    return;
  }
  const [part = [], ...more] = partsOf(wanted);
  if (more.length > 0)
    throw new CliError(
      'usage',
      `these are ${wanted.length} exceptions, and at most ${MOST_AT_ONCE}, of less than a megabyte, are asked for together; ask in ${more.length + 1} parts`,
    );
  const { items } = await withServer(cli, (api) => exceptionCalls(api, place).requestMany(part));
  printExceptions(cli, options, place, items);
  noteBatches(cli, place, items);
}

/** Asks part by part for what is too much to be asked for together. */
async function askInParts(
  cli: Cli,
  options: OutputOptions,
  place: Place,
  wanted: readonly WantedException[],
): Promise<void> {
  if (wanted.length === 0) throw new CliError('usage', 'there is nothing to ask for');
  const asked: RiskException[] = [];
  await withServer(cli, async (api) => {
    for (const part of partsOf(wanted)) {
      try {
        asked.push(...(await exceptionCalls(api, place).requestMany(part)).items);
      } catch (error) {
        if (asked.length > 0) {
          cli.note(`The first ${asked.length} of ${wanted.length} were asked for; leave them out when you try again.`);
          noteBatches(cli, place, asked);
        }
        throw error;
      }
    }
  });
  printExceptions(cli, options, place, asked);
  noteBatches(cli, place, asked);
}

function noteBatches(cli: Cli, place: Place, asked: readonly RiskException[]): void {
  const batches = [...new Set(asked.map(({ batch = '' }) => batch))];
  const ways = batches.map((batch) => `breakwater exception grant ${wordsOf(place)} --batch ${batch} --reason "…"`);
  cli.note(
    ways.length === 1
      ? `They count once somebody else grants them, singly or together: ${ways[0]}`
      : `They count once somebody else grants them, singly or together, in ${ways.length} parts:\n${ways.map((way) => `  ${way}`).join('\n')}`,
  );
}

function addImport(exception: Command, cli: Cli): void {
  withTold(common(exception.command('import')))
    .description('ask for what an allow-list of Harbor or a .trivyignore excepts; each needs an owner and an end date')
    .argument(WORDS, 'the project, then the file (- for standard input); with --everywhere the file alone')
    .addOption(
      new Option('--format <format>', 'what the file is, where its name and content do not tell').choices(FORMATS),
    )
    .addHelpText(
      'after',
      `
Examples:
  curl -s https://harbor.example.com/api/v2.0/projects/front | \\
    breakwater exception import front - --owner platform --reason "taken over from Harbor" --until +90d
  breakwater exception import front/app .trivyignore --owner "team app" --reason "…" --until 2027-01-31`,
    )
    .action(async (words: readonly string[], options: ImportOptions) => {
      const { place, rest } = placeAmong(words, options);
      const [path, ...more] = rest;
      if (path === undefined || more.length > 0) throw new CliError('usage', 'name one file, or - for standard input');
      const { owner, until, reason, ticket } = options;
      const { entries, left } = await readExceptionFile(cli, path, options.format);
      if (owner === undefined && entries.some((entry) => entry.owner === undefined))
        throw new CliError('usage', 'give --owner: somebody has to answer for what is taken over');
      noteLeft(cli, left);
      const told = defined({ owner, until, reason, ticket, repository: place.repository });
      await askInParts(cli, options, place, completed(entries, told));
    });
}

function noteLeft(cli: Cli, left: FileEntries['left']): void {
  if (left.length > 0)
    cli.note(`${counted(left.length, 'entry', 'entries')} left out:\n${left.map((one) => `  ${one}`).join('\n')}`);
}

function addEdit(exception: Command, cli: Cli): void {
  withTold(withSubject(common(exception.command('edit'))))
    .description('change a request that is not decided yet; whoever does counts as one who asked, and may not grant it')
    .argument(WORDS, ONE)
    .option('--vulnerability <id>', 'about this vulnerability instead')
    .action(async (words: readonly string[], options: EditOptions) => {
      const { place, id } = oneAmong(words, options);
      const { until, reason, owner, ticket, vulnerability } = options;
      const body = { ...subjectIn(options), ...defined({ until, reason, owner, ticket, vulnerability }) };
      if (Object.keys(body).length === 0) throw new CliError('usage', 'say what to change; see --help');
      printException(cli, options, await withServer(cli, (api) => exceptionCalls(api, place).edit(id, body)));
    });
}

function addGrant(exception: Command, cli: Cli): void {
  withToDecide(withNarrowing(common(exception.command('grant'))))
    .description('grant requests of somebody else; may be narrower and end earlier than asked, never wider or later')
    .argument('[words...]', SEVERAL)
    .requiredOption('--reason <text>', 'why')
    .option('--until <date>', `earlier end: ${UNTIL}`, (text: string) => untilOf(text))
    .option('--fix-days <days>', 'fewer days after a known fix', wholeNumber)
    .action(async (words: readonly string[], options: GrantOptions) => {
      const { place, rest } = placeAmong(words, options);
      const { reason, until, fixDays } = options;
      const narrower = narrowingIn(options);
      await withServer(cli, async (api) => {
        const calls = exceptionCalls(api, place);
        const read = await readToDecide(cli, calls, rest, { ...options, word: 'grant' });
        const [first] = read;
        if (read.length === 1 && first && options.batch === undefined) {
          const more = Object.keys(narrower).length === 0 ? {} : { narrower };
          const { id, revision } = first;
          const granted = await calls.grant(id, { reason, revision, ...defined({ until, fixDays }), ...more });
          return printException(cli, options, granted);
        }
        if (fixDays !== undefined || Object.keys(narrower).length > 0)
          throw new CliError('usage', 'several together can be ended earlier, but narrowed only one by one');
        const { items } = await calls.decide({
          decision: 'grant',
          ids: read.map(({ id }) => id),
          revisions: revisionsOf(read),
          reason,
          ...defined({ until }),
        });
        return printExceptions(cli, options, place, items);
      });
    });
}

function addDeny(exception: Command, cli: Cli): void {
  withToDecide(common(exception.command('deny')))
    .description('deny requests')
    .argument('[words...]', SEVERAL)
    .requiredOption('--reason <text>', 'why')
    .action(async (words: readonly string[], options: DenyOptions) => {
      const { place, rest } = placeAmong(words, options);
      await withServer(cli, async (api) => {
        const calls = exceptionCalls(api, place);
        const { reason } = options;
        const read = await readToDecide(cli, calls, rest, { ...options, word: 'deny' });
        const [first] = read;
        if (read.length === 1 && first && options.batch === undefined) {
          const { id, revision } = first;
          return printException(cli, options, await calls.deny(id, { reason, revision }));
        }
        const ids = read.map(({ id }) => id);
        const { items } = await calls.decide({ decision: 'deny', ids, revisions: revisionsOf(read), reason });
        return printExceptions(cli, options, place, items);
      });
    });
}

/** By id, the revisions that were read. */
function revisionsOf(read: readonly RiskException[]): Record<string, number> {
  return Object.fromEntries(read.map(({ id, revision }) => [id, revision]));
}

function addRenew(exception: Command, cli: Cli): void {
  common(exception.command('renew'))
    .description('ask for the same again, to a later end; the one it continues holds to its own')
    .argument(WORDS, ONE)
    .requiredOption('--until <date>', UNTIL, (text: string) => untilOf(text))
    .requiredOption('--reason <text>', 'why it may run on')
    .option('--ticket <text>', 'where it is followed up')
    .action(async (words: readonly string[], options: RenewOptions) => {
      const { place, id } = oneAmong(words, options);
      const { until, reason, ticket } = options;
      const body = { until, reason, ...defined({ ticket }) };
      const made = await withServer(cli, (api) => exceptionCalls(api, place).renew(id, body));
      printException(cli, options, made);
      cli.note(
        `It counts once somebody else grants it: breakwater exception grant ${wordsOf(place)} ${made.id} --reason "…"`,
      );
    });
}

function addRevoke(exception: Command, cli: Cli): void {
  common(exception.command('revoke'))
    .description('end a granted exception now, or take a request back')
    .argument(WORDS, ONE)
    .requiredOption('--reason <text>', 'why')
    .action(async (words: readonly string[], options: DecisionOptions) => {
      const { place, id } = oneAmong(words, options);
      const ended = await withServer(cli, (api) => exceptionCalls(api, place).revoke(id, options.reason));
      printException(cli, options, ended);
    });
}

function addShow(exception: Command, cli: Cli): void {
  common(exception.command('show'))
    .description('one exception')
    .argument(WORDS, ONE)
    .action(async (words: readonly string[], options: Common) => {
      const { place, id } = oneAmong(words, options);
      printException(cli, options, await withServer(cli, (api) => exceptionCalls(api, place).get(id)));
    });
}

function addList(exception: Command, cli: Cli): void {
  common(exception.command('list'))
    .description('requests and what became of them, newest first')
    .argument('[project]')
    .addOption(new Option('--state <state>', 'only these').choices(['requested', 'granted', 'denied', 'revoked']))
    .option('--batch <id>', 'only what was asked for together')
    .action(async (project: string | undefined, options: ListOptions) => {
      const { place } = placeAmong(project === undefined ? [] : [project], options);
      const { state, batch } = options;
      const items = await withServer(cli, (api) => exceptionCalls(api, place).list(defined({ state, batch })));
      printExceptions(cli, options, place, items);
    });
}

function oneAmong(words: readonly string[], options: PlaceOptions): { readonly place: Place; readonly id: string } {
  const { place, rest } = placeAmong(words, options);
  const [id, ...more] = rest;
  if (id === undefined || more.length > 0) throw new CliError('usage', 'name one exception by its id');
  return { place, id };
}
