import { Command } from 'commander';
import {
  approveSource,
  listSources,
  measureSource,
  proposeSource,
  retireSource,
  reviewSource,
  type TrustedSource,
} from '../../api/contract/trust.ts';
import { oneLine } from '../../platform/one-line.ts';
import { entryFromDenial } from '../../trust/from-denial.ts';
import type { Cli } from '../cli.ts';
import { withServer } from '../client.ts';
import { CliError } from '../exit.ts';
import { day, endOf } from '../moments.ts';
import { facts, type OutputOptions, printAs, table, withOutput } from '../output.ts';

interface AddOptions extends OutputOptions {
  readonly fromDenial?: string;
  readonly criteria: string;
  readonly findings?: string;
  readonly owner: string;
  readonly reviewDue: string;
}
type DecisionOptions = OutputOptions & { readonly reason: string };

/** `breakwater trust …`. */
export function trustCommand(cli: Cli): Command {
  const trust = new Command('trust').description('trusted sources and the risk analyses behind them');
  withOutput(trust.command('propose'))
    .alias('add')
    .description('propose a source; somebody else approves it')
    .argument('[entry]', 'registry, registry/project, repository, image:tag or image@digest')
    .option('--from-denial <text>', 'propose the repository of the image that this message of a denial names')
    .requiredOption('--criteria <text>', 'what was asked of it: who publishes, how it is built, signed, patched')
    .option('--findings <text>', 'what was found; what was measured here when this is left out')
    .requiredOption('--owner <name>', 'who answers for it')
    .requiredOption('--review-due <date>', 'by then somebody looks again', endOf)
    .addHelpText(
      'after',
      `
Example:
  breakwater trust propose quay.io/prometheus/ --criteria "maintained, signed, scanned" \\
    --findings "releases signed; criticals fixed within a week" --owner platform --review-due 2027-06-30
  breakwater trust propose --from-denial 'container "web" has an invalid image repo "quay.io/acme/web:1", …' \\
    --criteria "our supplier" --owner shop --review-due 2027-06-30`,
    )
    .action(async (written: string | undefined, options: AddOptions) => {
      const { criteria, findings, owner, reviewDue, fromDenial } = options;
      const entry = entryOf(written, fromDenial);
      const body = { entry, criteria, owner, reviewDue, ...(findings === undefined ? {} : { findings }) };
      printSource(cli, options, await withServer(cli, (api) => api.call(proposeSource, { body })));
    });
  withOutput(trust.command('list'))
    .description('trusted sources, retired ones too')
    .action(async (options: OutputOptions) => {
      const { items } = await withServer(cli, (api) => api.call(listSources));
      printAs(cli, options, items, () => sourceTable(items));
    });
  withOutput(trust.command('approve'))
    .description('trust a proposed source from now on')
    .argument('<id>')
    .requiredOption('--reason <text>', 'why')
    .action(async (id: string, options: DecisionOptions) => {
      const input = { params: { id }, body: { reason: options.reason } };
      printSource(cli, options, await withServer(cli, (api) => api.call(approveSource, input)));
    });
  withOutput(trust.command('review'))
    .description('go on trusting a source until the next review')
    .argument('<id>')
    .requiredOption('--reason <text>', 'why it may stay')
    .option('--findings <text>', 'what was found this time; what was measured here when this is left out')
    .requiredOption('--review-due <date>', 'by then somebody looks again', endOf)
    .action(async (id: string, options: DecisionOptions & { findings?: string; reviewDue: string }) => {
      const { reason, findings, reviewDue } = options;
      const input = { params: { id }, body: { reason, reviewDue, ...(findings === undefined ? {} : { findings }) } };
      printSource(cli, options, await withServer(cli, (api) => api.call(reviewSource, input)));
    });
  withOutput(trust.command('retire'))
    .description('trust a source no longer')
    .argument('<id>')
    .requiredOption('--reason <text>', 'why')
    .option('--yes', 'also when images that run or are stored are not trusted any more without it')
    .action(async (id: string, options: DecisionOptions & { readonly yes?: boolean }) => {
      const input = { params: { id }, body: { reason: options.reason, evenInUse: options.yes ?? false } };
      printSource(cli, options, await withServer(cli, (api) => api.call(retireSource, input)));
    });
  withOutput(trust.command('measure'))
    .description('what is known here of a source: images, findings, signatures, how soon fixes came')
    .argument('<entry>', 'registry, registry/project, repository, image:tag or image@digest')
    .action(async (entry: string, options: OutputOptions) => {
      const measured = await withServer(cli, (api) => api.call(measureSource, { query: { entry } }));
      printAs(cli, options, measured, () => measured.text);
    });
  return trust;
}

function entryOf(written: string | undefined, denial: string | undefined): string {
  if (written !== undefined && denial === undefined) return written;
  if (written !== undefined || denial === undefined)
    throw new CliError('usage', 'name an entry, or give the message of a denial with --from-denial');
  const entry = entryFromDenial(denial);
  if (entry === undefined)
    throw new CliError(
      'usage',
      'that text names no image of an untrusted source; copy the whole message, or name an entry',
    );
  return entry;
}

function printSource(cli: Cli, options: OutputOptions, source: TrustedSource): void {
  printAs(cli, options, source, () =>
    facts([
      ['id', source.id],
      ['entry', `${source.entry} (${source.scope})`],
      ['state', source.state],
      ['owner', source.owner],
      ['criteria', source.criteria],
      ['findings', source.findings],
      ['measured', source.measured?.text === source.findings ? undefined : source.measured?.text],
      ['review due', day(source.reviewDue)],
      ['proposed', `${day(source.proposedAt)} by ${source.proposedBy}`],
      [
        'decided',
        source.decidedAt && `${day(source.decidedAt)} by ${source.decidedBy}: ${source.decisionReason ?? ''}`,
      ],
    ]),
  );
  for (const problem of problemLines(source)) cli.note(problem);
  if (source.state === 'proposed')
    cli.note(`It counts once somebody else approves it: breakwater trust approve ${source.id} --reason "…"`);
}

function sourceTable(sources: readonly TrustedSource[]): string {
  if (sources.length === 0) return 'Nothing is trusted yet; see "breakwater trust propose --help".';
  const rows = sources.map((source) => [
    source.id,
    source.entry,
    source.scope,
    source.state,
    source.owner,
    day(source.reviewDue),
  ]);
  const problems = sources.filter(({ state }) => state !== 'retired').flatMap(problemLines);
  const list = table(['id', 'entry', 'scope', 'state', 'owner', 'review due'], rows);
  return problems.length === 0 ? list : `${list}\n\n${problems.join('\n')}`;
}

/** What the linter has against an entry, with the safer text. */
function problemLines({ problems }: TrustedSource): string[] {
  return problems.map(({ kind, message }) => oneLine(`${kind}: ${message}`));
}
