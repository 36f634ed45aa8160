import { type Command, InvalidArgumentError } from 'commander';
import type { z } from 'zod';
import { getProject } from '../../api/contract/projects.ts';
import { getUsage, listUsage, setImmutableTags, setQuota } from '../../api/contract/storage.ts';
import { parseBytes } from '../../platform/byte-size.ts';
import { parseSelection, selectionText, type TagSelection } from '../../policy/tag-selection.ts';
import type { Cli } from '../cli.ts';
import { withServer } from '../client.ts';
import { CliError } from '../exit.ts';
import { bytes, facts, type OutputOptions, printAs, table, withOutput } from '../output.ts';

type Usage = z.output<typeof listUsage.reply>['items'][number];
type OneUsage = z.output<typeof getUsage.reply>;

interface ImmutableOptions extends OutputOptions {
  readonly rule?: readonly TagSelection[];
  readonly off?: boolean;
}

/** `breakwater project usage|quota|immutable`. */
export function addStorage(project: Command, cli: Cli): void {
  addUsage(project, cli);
  addQuota(project, cli);
  addImmutable(project, cli);
}

function addUsage(project: Command, cli: Cli): void {
  withOutput(project.command('usage'))
    .description('how much projects hold, and how much they may')
    .argument('[name]', 'one project, with its repositories')
    .action(async (name: string | undefined, options: OutputOptions) => {
      if (name === undefined) {
        const { items } = await withServer(cli, (api) => api.call(listUsage));
        return printAs(cli, options, items, () => usageTable(items));
      }
      const usage = await withServer(cli, (api) => api.call(getUsage, { params: { project: name } }));
      printAs(cli, options, usage, () => describeUsage(usage));
    });
}

function addQuota(project: Command, cli: Cli): void {
  withOutput(project.command('quota'))
    .description('say how much a project may hold; for administrators')
    .argument('<name>')
    .argument('<size>', 'like 50GB or 512MiB, "unlimited", or "default" for what the installation says', quota)
    .addHelpText('after', '\nExample:\n  breakwater project quota front 50GB')
    .action(async (name: string, size: ReturnType<typeof quota>, options: OutputOptions) => {
      const input = { params: { project: name }, body: { quota: size } };
      const usage = await withServer(cli, (api) => api.call(setQuota, input));
      printAs(cli, options, usage, () => describeUse(usage));
    });
}

function addImmutable(project: Command, cli: Cli): void {
  withOutput(project.command('immutable'))
    .description('which tags stay where they were first pushed; without options: what is set')
    .argument('<name>')
    .option(
      '--rule <tags>',
      'globs of tags, and where: "v*,!*-rc in app,team/**"; may be repeated, replaces what is set',
      selections,
    )
    .option('--off', 'let every tag be moved and deleted again')
    .addHelpText(
      'after',
      `
Example:
  breakwater project immutable front --rule "v*,!*-rc" --rule "* in released/**"`,
    )
    .action(async (name: string, options: ImmutableOptions) => {
      const { rule = [], off = false } = options;
      if (off && rule.length > 0) throw new CliError('usage', 'give --rule or --off, not both');
      const params = { project: name };
      const rules =
        off || rule.length > 0
          ? (await withServer(cli, (api) => api.call(setImmutableTags, { params, body: { rules: [...rule] } }))).rules
          : (await withServer(cli, (api) => api.call(getProject, { params }))).immutableTags;
      printAs(cli, options, rules, () =>
        rules.length === 0
          ? `Every tag of ${name} may be moved and deleted.`
          : ['These tags stay where they were first pushed:', ...rules.map((one) => `  ${selectionText(one)}`)].join(
              '\n',
            ),
      );
    });
}

function quota(text: string): number | 'unlimited' | 'default' {
  if (text === 'unlimited' || text === 'default') return text;
  const size = parseBytes(text);
  if (size === undefined) throw new InvalidArgumentError('Write a size like 50GB or 512MiB, unlimited or default.');
  return size;
}

function selections(text: string, before: readonly TagSelection[] = []): readonly TagSelection[] {
  const selection = parseSelection(text);
  if (selection) return [...before, selection];
  throw new InvalidArgumentError('Write globs of tags, and where they count: "v*,!*-rc in app,team/**".');
}

function usageTable(items: readonly Usage[]): string {
  if (items.length === 0) return 'No projects yet; make one with "breakwater project create front".';
  return table(
    ['project', 'used', 'quota', 'share', 'blobs', 'manifests'],
    [...items]
      .sort((a, b) => b.bytes - a.bytes)
      .map((usage) => [
        usage.project,
        bytes(usage.bytes),
        quotaText(usage),
        shareText(usage),
        String(usage.blobs),
        String(usage.manifests),
      ]),
  );
}

function describeUsage(usage: OneUsage): string {
  const rows = usage.repositories.map((one) => [one.name, bytes(one.bytes), String(one.blobs), String(one.manifests)]);
  if (rows.length === 0) return describeUse(usage);
  return [
    describeUse(usage),
    '',
    table(['repository', 'used', 'blobs', 'manifests'], rows),
    '',
    'What repositories share counts in each of them, and once in the project.',
  ].join('\n');
}

function describeUse(usage: Usage): string {
  return facts([
    ['project', usage.project],
    ['used', `${bytes(usage.bytes)} in ${usage.blobs} blobs and ${usage.manifests} manifests`],
    ['quota', quotaText(usage)],
    ['share', usage.share === undefined ? undefined : shareText(usage)],
  ]);
}

function quotaText({ quota }: Usage): string {
  return quota === null ? 'unlimited' : bytes(quota);
}

function shareText({ share }: Usage): string {
  return share === undefined ? '-' : `${Math.floor(share * 100)} %`;
}
