import { Command } from 'commander';
import {
  addQuarantine,
  type ChangedQuarantine,
  getQuarantine,
  keepQuarantine,
  listQuarantines,
  type Quarantine,
  type QuarantineWithReach,
  releaseQuarantine,
} from '../../api/contract/quarantines.ts';
import { counted } from '../../platform/counted.ts';
import type { Cli } from '../cli.ts';
import { withServer } from '../client.ts';
import { minute } from '../moments.ts';
import { facts, type OutputOptions, printAs, table, withOutput } from '../output.ts';

interface AddOptions extends OutputOptions {
  readonly reason: string;
  readonly ticket: string;
  readonly versions?: string;
}
type DecisionOptions = OutputOptions & { readonly reason: string };

/** `breakwater quarantine …`. */
export function quarantineCommand(cli: Cli): Command {
  const quarantine = new Command('quarantine').description('what is served, stored and admitted nowhere, at once');
  withOutput(quarantine.command('add'))
    .description('put a content, or versions of a package in whatever image, under quarantine')
    .argument('<target>', 'a digest, an image with one (front/app@sha256:…), or a package URL')
    .requiredOption('--reason <text>', 'why: everybody is told who is refused')
    .requiredOption('--ticket <text>', 'where it is followed up')
    .option('--versions <range>', 'of a package URL without a version: ">= 1.2, < 1.4"')
    .addHelpText(
      'after',
      `
Examples:
  breakwater quarantine add front/app@sha256:… --ticket INC-42 --reason "built on a compromised runner"
  breakwater quarantine add pkg:npm/event-stream@3.3.6 --ticket INC-43 --reason "the release was taken over"
  breakwater quarantine add pkg:deb/debian/xz-utils --versions ">= 5.5.1~, < 5.6.1+really5.4.5-1" --ticket INC-44 --reason "CVE-2024-3094"`,
    )
    .action(async (target: string, options: AddOptions) => {
      const { output, ...body } = options;
      const added = await withServer(cli, (api) => api.call(addQuarantine, { body: { target, ...body } }));
      printChanged(cli, { output }, added);
      if (added.hint !== undefined) cli.note(added.hint);
    });
  withOutput(quarantine.command('list'))
    .description('what is under quarantine, newest first')
    .option('--all', 'also what is over')
    .action(async (options: OutputOptions & { readonly all?: boolean }) => {
      const query = { released: options.all ? ('true' as const) : ('false' as const) };
      const { items } = await withServer(cli, (api) => api.call(listQuarantines, { query }));
      printAs(cli, options, items, () => quarantineTable(items));
    });
  withOutput(quarantine.command('show'))
    .description('one quarantine, with what is stored and what runs of it')
    .argument('<id>')
    .action(async (id: string, options: OutputOptions) => {
      const found = await withServer(cli, (api) => api.call(getQuarantine, { params: { id } }));
      printAs(cli, options, found, () => withReach(found));
    });
  withOutput(quarantine.command('release'))
    .description('ask for the end of a quarantine; or, as another person, confirm it')
    .argument('<id>')
    .requiredOption('--reason <text>', 'why it may run again')
    .action(async (id: string, options: DecisionOptions) => {
      const input = { params: { id }, body: { reason: options.reason } };
      const changed = await withServer(cli, (api) => api.call(releaseQuarantine, input));
      printChanged(cli, options, changed);
      if (changed.state === 'release-asked')
        cli.note(`It stays until another person confirms: breakwater quarantine release ${id} --reason "…"`);
    });
  withOutput(quarantine.command('keep'))
    .description('take back or turn down the question for a release')
    .argument('<id>')
    .requiredOption('--reason <text>', 'why it stays')
    .action(async (id: string, options: DecisionOptions) => {
      const input = { params: { id }, body: { reason: options.reason } };
      const kept = await withServer(cli, (api) => api.call(keepQuarantine, input));
      printAs(cli, options, kept, () => facts(linesOf(kept)));
    });
  return quarantine;
}

function printChanged(cli: Cli, options: OutputOptions, changed: ChangedQuarantine): void {
  const { judged, blocked, released } = changed.verdicts;
  const verdicts =
    changed.state === 'release-asked'
      ? undefined
      : `${counted(judged, 'verdict')} looked at again, ${blocked} newly blocked, ${released} released`;
  printAs(cli, options, changed, () => facts([...linesOf(changed), ['verdicts', verdicts]]));
}

function linesOf(quarantine: Quarantine): (readonly [string, string | undefined])[] {
  const { releaseAskedBy, releasedBy } = quarantine;
  return [
    ['id', quarantine.id],
    ['target', quarantine.target],
    ['state', quarantine.state],
    ['reason', quarantine.reason],
    ['ticket', quarantine.ticket],
    ['added', `${minute(quarantine.addedAt)} by ${quarantine.addedBy}`],
    [
      'release asked',
      releaseAskedBy && `${minute(quarantine.releaseAskedAt)} by ${releaseAskedBy}: ${quarantine.releaseReason ?? ''}`,
    ],
    [
      'released',
      releasedBy && `${minute(quarantine.releasedAt)} by ${releasedBy}: ${quarantine.releaseConfirmed ?? ''}`,
    ],
  ];
}

function withReach(found: QuarantineWithReach): string {
  const parts = [facts(linesOf(found)), '', `${counted(found.imageCount, 'stored image')} concerned`];
  if (found.images.length > 0)
    parts.push(
      table(
        ['repository', 'digest', 'tags'],
        found.images.map(({ repository, digest, tags }) => [repository, digest, tags.join(', ') || '-']),
      ),
    );
  if (found.imageCount > found.images.length) parts.push(`and ${found.imageCount - found.images.length} more`);
  parts.push('', `${counted(found.runningCount, 'container')} running as audits saw it`);
  if (found.running.length > 0)
    parts.push(
      table(
        ['cluster', 'namespace', 'owner', 'container', 'image'],
        found.running.map((one) => [one.cluster, one.namespace, `${one.kind}/${one.name}`, one.container, one.image]),
      ),
    );
  if (found.runningCount > found.running.length) parts.push(`and ${found.runningCount - found.running.length} more`);
  return parts.join('\n');
}

function quarantineTable(items: readonly Quarantine[]): string {
  if (items.length === 0) return 'Nothing is under quarantine.';
  return table(
    ['id', 'target', 'state', 'since', 'ticket', 'added by', 'reason'],
    items.map((item) => [
      item.id,
      item.target,
      item.state,
      minute(item.addedAt),
      item.ticket,
      item.addedBy,
      item.reason,
    ]),
  );
}
