import { Command, InvalidArgumentError } from 'commander';
import type { z } from 'zod';
import {
  getRetention,
  previewRetention,
  retentionHistory,
  runRetention,
  setRetention,
} from '../../api/contract/storage.ts';
import { counted } from '../../platform/counted.ts';
import { parseRule, type RetentionRule, ruleText } from '../../policy/retention.ts';
import type { Cli } from '../cli.ts';
import { withServer } from '../client.ts';
import { CliError } from '../exit.ts';
import { day, minute } from '../moments.ts';
import { type OutputOptions, printAs, table, withOutput } from '../output.ts';

type Outcome = z.output<typeof previewRetention.reply>;
type Rules = z.output<typeof getRetention.reply>;

interface SetOptions extends OutputOptions {
  readonly keep?: readonly RetentionRule[];
  readonly off?: boolean;
}

const RULES = `
A tag stays when one of the rules keeps it; what no rule keeps goes, also in repositories that no rule names:
  latest-pushed <count>   the tags that were pushed last, in each repository
  latest-pulled <count>   the tags that were pulled last (a push counts as a pull)
  pushed-within <days>    pulled-within <days>    always
and which tags where: "latest-pushed 10 of v*,!*-rc in app,team/**"; without it all of them.
What runs in the cluster, immutable tags, and tags of signatures and the like whose image is here always stay.`;

/** `breakwater retention show|set|run|history`. */
export function retentionCommand(cli: Cli): Command {
  const retention = new Command('retention').description('which tags a project keeps');
  addShow(retention, cli);
  addSet(retention, cli);
  addRun(retention, cli);
  addHistory(retention, cli);
  return retention;
}

function addShow(retention: Command, cli: Cli): void {
  withOutput(retention.command('show'))
    .description('the rules of a project')
    .argument('<project>')
    .action(async (project: string, options: OutputOptions) => {
      const found = await withServer(cli, (api) => api.call(getRetention, { params: { project } }));
      printAs(cli, options, found, () => describeRules(project, found));
    });
}

function addSet(retention: Command, cli: Cli): void {
  withOutput(retention.command('set'))
    .description('replace the rules of a project, and say what they would take away')
    .argument('<project>')
    .option('--keep <rule>', 'a reason to keep a tag; may be repeated', rules)
    .option('--off', 'keep every tag again')
    .addHelpText(
      'after',
      `${RULES}
By itself the server applies changed rules a day later; until then look with "breakwater retention run --dry-run".

Example:
  breakwater retention set front --keep "latest-pushed 10" --keep "pulled-within 90" --keep "always of v*"`,
    )
    .action(async (project: string, options: SetOptions) => {
      const { keep = [], off = false } = options;
      if (off === keep.length > 0) throw new CliError('usage', 'give --keep, once or several times, or --off');
      const params = { project };
      const [found, preview] = await withServer(cli, async (api) => {
        await api.call(setRetention, { params, body: { rules: [...keep] } });
        return [await api.call(getRetention, { params }), await api.call(previewRetention, { params })] as const;
      });
      printAs(cli, options, found, () =>
        [
          describeRules(project, found),
          ...(keep.length === 0
            ? []
            : [
                '',
                `Of ${counted(preview.examined, 'tag')}, ${preview.removed} would go; see: breakwater retention run ${project} --dry-run`,
              ]),
        ].join('\n'),
      );
    });
}

function addRun(retention: Command, cli: Cli): void {
  withOutput(retention.command('run'))
    .description('take away what no rule keeps, instead of waiting for the next day')
    .argument('<project>')
    .option('--dry-run', 'only say what would go, and why the rest stays')
    .action(async (project: string, options: OutputOptions & { dryRun?: boolean }) => {
      const dryRun = options.dryRun === true;
      const params = { project };
      const outcome = await withServer(cli, (api) => api.call(dryRun ? previewRetention : runRetention, { params }));
      printAs(cli, options, outcome, () => describeOutcome(outcome, dryRun));
    });
}

function addHistory(retention: Command, cli: Cli): void {
  withOutput(retention.command('history'))
    .description('the newest hundred runs; the audit log has every tag that went')
    .argument('<project>')
    .action(async (project: string, options: OutputOptions) => {
      const { items } = await withServer(cli, (api) => api.call(retentionHistory, { params: { project } }));
      printAs(cli, options, items, () =>
        items.length === 0
          ? `No rules were ever applied to ${project}.`
          : table(
              ['at', 'by', 'tags', 'removed', 'rules'],
              items.map(({ at, actor, examined, removed, rules: applied }) => [
                minute(at),
                actor,
                String(examined),
                String(removed),
                applied.join('; '),
              ]),
            ),
      );
    });
}

function rules(text: string, before: readonly RetentionRule[] = []): readonly RetentionRule[] {
  const rule = parseRule(text);
  if (rule) return [...before, rule];
  throw new InvalidArgumentError(
    'Write a rule like "latest-pushed 10", "pulled-within 90 of v*,!*-rc in team/**" or "always of v*".',
  );
}

function describeRules(project: string, { rules: set, changedBy, changedAt }: Rules): string {
  const when = changedBy === undefined ? '' : `\nSet by ${changedBy}, ${minute(changedAt)}.`;
  if (set.length === 0) return `${project} keeps every tag.${when}`;
  return `${project} keeps tags by these rules:\n${set.map((rule) => `  ${ruleText(rule)}`).join('\n')}${when}`;
}

function describeOutcome({ examined, removed, tags }: Outcome, dryRun: boolean): string {
  const went = dryRun ? 'would go' : 'went';
  const rows = tags.map(({ kind, repository, tag, pushedAt, usedAt, because }) => [
    kind === 'keep' ? 'stays' : dryRun ? 'would go' : 'went',
    `${repository}:${tag}`,
    day(pushedAt),
    day(usedAt),
    because,
  ]);
  const sum = `Of ${counted(examined, 'tag')}, ${removed} ${went}.`;
  return rows.length === 0 ? sum : `${table(['', 'tag', 'pushed', 'used', 'because'], rows)}\n\n${sum}`;
}
