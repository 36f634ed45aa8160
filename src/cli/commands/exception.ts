import { Command } from 'commander';
import {
  denyException,
  grantException,
  listExceptions,
  type RiskException,
  requestException,
  revokeException,
} from '../../api/contract/exceptions.ts';
import type { Cli } from '../cli.ts';
import { withServer } from '../client.ts';
import { CliError } from '../exit.ts';
import { endOf, minute } from '../moments.ts';
import { facts, type OutputOptions, printAs, table, withOutput } from '../output.ts';

interface RequestOptions extends OutputOptions {
  readonly until: string;
  readonly reason: string;
  readonly package?: string;
  readonly version?: string;
  readonly repository?: string;
  readonly digest?: string;
  readonly ticket?: string;
}
type DecisionOptions = OutputOptions & { readonly reason: string; readonly until?: string };

/** `breakwater exception …`. */
export function exceptionCommand(cli: Cli): Command {
  const exception = new Command('exception').description('dated exceptions from the policy of a project');
  addRequest(exception, cli);
  withOutput(exception.command('grant'))
    .description('grant a request of somebody else; may end it earlier than asked')
    .argument('<project>')
    .argument('<id>')
    .requiredOption('--reason <text>', 'why')
    .option('--until <date>', 'earlier end', endOf)
    .action(async (project: string, id: string, options: DecisionOptions) => {
      const { reason, until } = options;
      const input = { params: { project, id }, body: { reason, ...(until === undefined ? {} : { until }) } };
      printException(cli, options, await withServer(cli, (api) => api.call(grantException, input)));
    });
  withOutput(exception.command('deny'))
    .description('deny a request')
    .argument('<project>')
    .argument('<id>')
    .requiredOption('--reason <text>', 'why')
    .action(async (project: string, id: string, options: DecisionOptions) => {
      const input = { params: { project, id }, body: { reason: options.reason } };
      printException(cli, options, await withServer(cli, (api) => api.call(denyException, input)));
    });
  withOutput(exception.command('revoke'))
    .description('end a granted exception now')
    .argument('<project>')
    .argument('<id>')
    .requiredOption('--reason <text>', 'why')
    .action(async (project: string, id: string, options: DecisionOptions) => {
      const input = { params: { project, id }, body: { reason: options.reason } };
      printException(cli, options, await withServer(cli, (api) => api.call(revokeException, input)));
    });
  withOutput(exception.command('list'))
    .description('requests and what became of them, newest first')
    .argument('<project>')
    .action(async (project: string, options: OutputOptions) => {
      const { items } = await withServer(cli, (api) => api.call(listExceptions, { params: { project } }));
      printAs(cli, options, items, () => exceptionTable(project, items));
    });
  return exception;
}

function addRequest(exception: Command, cli: Cli): void {
  withOutput(exception.command('request'))
    .description('ask that a vulnerability does not count, for a reason and a time')
    .argument('<project>', 'the project; an image like front/alpine:3.20 limits it to that repository')
    .argument('<vulnerability>', 'CVE, GHSA or another id')
    .requiredOption('--until <date>', 'last day, or a moment in RFC 3339', endOf)
    .requiredOption('--reason <text>', 'why it may run meanwhile')
    .option('--package <name>', 'only in this package or source package')
    .option('--version <version>', 'only in this version of the package')
    .option('--repository <glob>', 'only in these repositories below the project, like team/**')
    .option('--digest <digest>', 'only in this image')
    .option('--ticket <text>', 'where it is followed up')
    .addHelpText(
      'after',
      `
Examples:
  breakwater exception request front CVE-2024-12345 --until 2027-01-31 --reason "not reachable: no TLS is used"
  breakwater exception request front/alpine:3.20 CVE-2024-12345 --package openssl --until 2027-01-31 --reason "…"`,
    )
    .action(async (where: string, vulnerability: string, options: RequestOptions) => {
      const { output, ...asked } = options;
      const { project, repository } = placeOf(where);
      if (repository !== undefined && asked.repository !== undefined)
        throw new CliError('usage', `"${where}" names a repository already; leave --repository out`);
      const body = { ...asked, vulnerability, ...(repository === undefined ? {} : { repository }) };
      const made = await withServer(cli, (api) => api.call(requestException, { params: { project }, body }));
      printException(cli, { output }, made);
      cli.note(`It counts once somebody else grants it: breakwater exception grant ${project} ${made.id} --reason "…"`);
    });
}

/** Project and repository below it of `front`, `front/alpine:3.20` or `front/team/app@sha256:…`. */
export function placeOf(text: string): { readonly project: string; readonly repository?: string } {
  const name = text.replace(/@.*$/, '').replace(/:[^/]*$/, '');
  const slash = name.indexOf('/');
  return slash < 0 ? { project: name } : { project: name.slice(0, slash), repository: name.slice(slash + 1) };
}

function printException(cli: Cli, options: OutputOptions, exception: RiskException): void {
  printAs(cli, options, exception, () =>
    facts([
      ['id', exception.id],
      ['vulnerability', exception.vulnerability],
      ['limited to', limits(exception) || 'nothing: the whole project'],
      ['state', stateOf(exception)],
      ['until', minute(exception.until)],
      ['reason', exception.reason],
      ['ticket', exception.ticket],
      ['requested', `${minute(exception.requestedAt)} by ${exception.requestedBy}`],
      [
        'decided',
        exception.decidedAt &&
          `${minute(exception.decidedAt)} by ${exception.decidedBy}${exception.singleHanded ? ', who asked for it too' : ''}: ${exception.decisionReason ?? ''}`,
      ],
    ]),
  );
}

function exceptionTable(project: string, items: readonly RiskException[]): string {
  if (items.length === 0) return `${project} has no exceptions.`;
  return table(
    ['id', 'vulnerability', 'limited to', 'state', 'until', 'requested by', 'decided by', 'reason'],
    items.map((item) => [
      item.id,
      item.vulnerability,
      limits(item) || '-',
      stateOf(item),
      minute(item.until),
      item.requestedBy,
      item.decidedBy ?? '-',
      item.reason,
    ]),
  );
}

function stateOf({ state, expired }: RiskException): string {
  return expired ? `${state}, over` : state;
}

function limits({ package: name, version, repository, digest }: RiskException): string {
  const pkg = name === undefined ? undefined : `${name}${version === undefined ? '' : ` ${version}`}`;
  return [pkg, repository, digest].filter((part) => part !== undefined).join(', ');
}
