import { readFile } from 'node:fs/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { printableJson } from '../../platform/printable-json.ts';
import type { Threshold } from '../../policy/policy.ts';
import { changesBetween } from '../../policy/policy-fields.ts';
import { policyJsonSchema } from '../../policy/policy-json-schema.ts';
import { thresholdSchema } from '../../policy/policy-schema.ts';
import { shortFormFields } from '../../policy/short-form.ts';
import type { Cli } from '../cli.ts';
import { withServer } from '../client.ts';
import { CliError } from '../exit.ts';
import { startOf } from '../moments.ts';
import { type OutputOptions, printAs, withOutput } from '../output.ts';
import { collectField, collectNames, parsePolicy } from '../policy/input.ts';
import { policyCalls } from '../policy/owner.ts';
import {
  editedText,
  renderChanges,
  renderHistory,
  renderOwn,
  renderPolicy,
  replacedText,
  whenText,
  writtenText,
} from '../policy/text.ts';

interface Whose {
  readonly installation?: true;
}

interface SetOptions extends Whose {
  readonly file?: string;
  readonly set?: Record<string, unknown>;
  readonly unset?: string[];
  readonly lock?: string[];
  readonly unlock?: string[];
  readonly block?: Threshold;
  readonly warn?: Threshold;
  readonly effectiveFrom?: string;
  readonly reason: string;
}

/** `breakwater policy show|set|history|rollback|diff|schema`. */
export function policyCommand(cli: Cli): Command {
  const policy = new Command('policy').description('what images must be to be served: shown, changed, and its history');
  policy.addCommand(showCommand(cli));
  policy.addCommand(setCommand(cli));
  policy.addCommand(historyCommand(cli));
  policy.addCommand(rollbackCommand(cli));
  policy.addCommand(diffCommand(cli));
  policy
    .command('schema')
    .description('print the JSON schema of policy documents')
    .action(() => cli.print(printableJson(policyJsonSchema())));
  return policy;
}

/** A command about the policy of a project or of the installation. */
function about(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .argument('[project]')
    .option('--installation', 'the policy that counts where projects say nothing');
}

function showCommand(cli: Cli): Command {
  return withOutput(about('show', 'the policy in force, and where each field comes from'))
    .option('--own', 'only what the project itself says, in the form that "policy set" takes')
    .action(async (project: string | undefined, options: OutputOptions & Whose & { own?: true }) => {
      const calls = policyCalls(project, options);
      const shown = await withServer(cli, (api) => calls.show(api));
      if (options.own) printAs(cli, options, shown.own, () => renderOwn(calls.name, shown));
      else printAs(cli, options, shown, () => renderPolicy(calls.name, shown));
    });
}

function threshold(flags: string, description: string): Option {
  return new Option(flags, description).choices(thresholdSchema.options);
}

function setCommand(cli: Cli): Command {
  return about('set', 'change the policy: a whole document, or single fields')
    .argument('[file]', 'what is said, YAML or JSON; all it leaves out is inherited')
    .option('--file <file>', 'the same')
    .option('--set <field=value>', 'one field; may be given several times', collectField)
    .option('--unset <field>', 'inherit a field again, or a group of them', collectNames)
    .option('--lock <field>', 'let projects only tighten a field, or a group of them', collectNames)
    .option('--unlock <field>', 'let projects say what they like again', collectNames)
    .addOption(threshold('--block <severity>', 'refuse findings at or above it, fixable or not'))
    .addOption(threshold('--warn <severity>', 'warn of findings at or above it, fixable or not'))
    .option('--effective-from <day or moment>', 'until then it only warns', startOf)
    .requiredOption('--reason <text>', 'why, for the audit log')
    .addHelpText(
      'after',
      `
Examples:
  breakwater policy set front --block high --reason "it faces the internet"
  breakwater policy set front --set graceDays.fixable.high=7 --effective-from 2027-01-31 --reason "a week to update"
  breakwater policy show front --own > front.yaml
  breakwater policy set front front.yaml --reason "reviewed"
  breakwater policy set --installation --set kev.action=block --lock kev.action --reason "a floor for all"`,
    )
    .action(async (project: string | undefined, file: string | undefined, options: SetOptions) => {
      // The file is the only argument where there is no project.
      const isFileFirst = options.installation === true && project !== undefined && file === undefined;
      const calls = policyCalls(isFileFirst ? undefined : project, options);
      const from = options.file ?? (isFileFirst ? project : file);
      const why = {
        reason: options.reason,
        ...(options.effectiveFrom === undefined ? {} : { effectiveFrom: options.effectiveFrom }),
      };
      const { set, unset, lock, unlock, block, warn } = options;
      const isEdit = [set, unset, lock, unlock, block, warn].some((given) => given !== undefined);
      if ((from !== undefined) === isEdit)
        throw new CliError(
          'usage',
          'give either a file or fields to change: --set, --unset, --lock, --unlock, --block, --warn',
        );
      const said = await withServer(cli, async (api) => {
        if (from !== undefined) {
          const document = parsePolicy(await readFile(from, 'utf8'), from);
          const { items } = await calls.history(api);
          const { version } = await calls.set(api, { policy: document, ...why });
          return writtenText(calls.name, version, options) + replacedText(items, version);
        }
        const short = { ...(block ? { block } : {}), ...(warn ? { warn } : {}) };
        const fields = block || warn ? shortFormFields(short, (await calls.show(api)).policy) : [];
        const shown = await calls.edit(api, {
          set: { ...Object.fromEntries(fields), ...set },
          ...(unset ? { unset } : {}),
          ...(lock ? { lock } : {}),
          ...(unlock ? { unlock } : {}),
          ...why,
        });
        const { items } = shown.coming.length > 0 ? await calls.history(api) : { items: [] };
        return editedText(calls.name, options, shown, items);
      });
      cli.print(said);
    });
}

function historyCommand(cli: Cli): Command {
  return withOutput(about('history', 'every version and what it changed, newest first')).action(
    async (project: string | undefined, options: OutputOptions & Whose) => {
      const calls = policyCalls(project, options);
      const { items } = await withServer(cli, (api) => calls.history(api));
      printAs(cli, options, items, () =>
        items.length === 0
          ? `${calls.name} never said anything of its policy; all of it is inherited.`
          : renderHistory(items),
      );
    },
  );
}

function rollbackCommand(cli: Cli): Command {
  return new Command('rollback')
    .description('put an older version in place again, as a new one')
    .argument('[project]')
    .option('--installation', 'the policy that counts where projects say nothing')
    .requiredOption('--to <version>', 'its number, as "policy history" shows it', versionNumber)
    .option('--effective-from <day or moment>', 'until then it only warns', startOf)
    .requiredOption('--reason <text>', 'why, for the audit log')
    .action(
      async (project: string | undefined, options: Whose & { to: number; reason: string; effectiveFrom?: string }) => {
        const calls = policyCalls(project, options);
        const { to, reason, effectiveFrom } = options;
        const why = { reason, ...(effectiveFrom === undefined ? {} : { effectiveFrom }) };
        const said = await withServer(cli, async (api) => {
          const { items } = await calls.history(api);
          const { version } = await calls.rollBack(api, to, why);
          const written = `${calls.name} has policy version ${version}, which says what version ${to} said, ${whenText(options)}.`;
          return written + replacedText(items, version);
        });
        cli.print(said);
      },
    );
}

function diffCommand(cli: Cli): Command {
  return withOutput(about('diff', 'what is different between two versions, field by field'))
    .option('--from <version>', 'the older one; the one that counted before unless told', versionNumber)
    .option('--to <version>', 'the newer one; the newest unless told', versionNumber)
    .action(async (project: string | undefined, options: OutputOptions & Whose & { from?: number; to?: number }) => {
      const calls = policyCalls(project, options);
      const { items } = await withServer(cli, (api) => calls.history(api));
      const documentOf = (version: number) => {
        const found = items.find((item) => item.version === version);
        if (!found)
          throw new CliError('usage', `${calls.name} has no policy version ${version}; see: breakwater policy history`);
        return found.document;
      };
      const to = options.to ?? items[0]?.version;
      // What was replaced before its moment never counted.
      const counted = items.filter(({ state }) => state !== 'replaced');
      const from = options.from ?? counted.find(({ version }) => to !== undefined && version < to)?.version;
      const changes = changesBetween(
        from === undefined ? {} : documentOf(from),
        to === undefined ? {} : documentOf(to),
      );
      printAs(cli, options, { from: from ?? null, to: to ?? null, changes }, () => renderChanges(changes));
    });
}

function versionNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Write the number of a version, like 3.');
  return Number(text);
}
