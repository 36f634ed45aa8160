import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { parse, stringify } from 'yaml';
import { getPolicy, listPolicies, setPolicy } from '../../api/contract/projects.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Policy } from '../../policy/policy.ts';
import { policySchema } from '../../policy/policy-schema.ts';
import type { Cli } from '../cli.ts';
import { withServer } from '../client.ts';
import { CliError } from '../exit.ts';
import { minute } from '../moments.ts';
import { type OutputOptions, printAs, table, withOutput } from '../output.ts';

/** `breakwater policy show|set|history`. */
export function policyCommand(cli: Cli): Command {
  const policy = new Command('policy').description('the whole policy of a project, and its history');
  withOutput(policy.command('show'))
    .description('the policy in force, in the form that "policy set" takes')
    .argument('<project>')
    .action(async (project: string, options: OutputOptions) => {
      const found = await withServer(cli, (api) => api.call(getPolicy, { params: { project } }));
      printAs(
        cli,
        options,
        found.policy,
        () => `# ${project}, version ${found.version}\n${stringify(found.policy).trimEnd()}`,
      );
    });
  policy
    .command('set')
    .description('put a whole policy in place')
    .argument('<project>')
    .argument('<file>', 'YAML or JSON, all fields')
    .requiredOption('--reason <text>', 'why, for the audit log')
    .addHelpText(
      'after',
      `
Example:
  breakwater policy show front > front.yaml
  breakwater policy set front front.yaml --reason "seven days of grace for medium findings"`,
    )
    .action(async (project: string, file: string, { reason }: { reason: string }) => {
      const body = { policy: parsePolicy(await readFile(file, 'utf8'), file), reason };
      const { version } = await withServer(cli, (api) => api.call(setPolicy, { params: { project }, body }));
      cli.print(`${project} has policy version ${version} now.`);
    });
  withOutput(policy.command('history'))
    .description('every version, newest first')
    .argument('<project>')
    .action(async (project: string, options: OutputOptions) => {
      const { items } = await withServer(cli, (api) => api.call(listPolicies, { params: { project } }));
      printAs(cli, options, items, () =>
        items.length === 0
          ? `${project} never had a policy of its own; that of the installation counts.`
          : table(
              ['version', 'at', 'by', 'block', 'reason'],
              items.map(({ version, createdAt, author, policy, reason }) => [
                String(version),
                minute(createdAt),
                author,
                policy === null ? 'as the installation' : policy.block.fixable,
                reason,
              ]),
            ),
      );
    });
  return policy;
}

/** A whole policy document. Throws `CliError('usage')` that names every field that is wrong. */
export function parsePolicy(text: string, file: string): Policy {
  let document: unknown;
  try {
    document = parse(text, { maxAliasCount: 0 });
  } catch (error) {
    throw new CliError('usage', `${file} is neither YAML nor JSON: ${messageOf(error)}`, { cause: error });
  }
  const checked = policySchema.safeParse(document);
  if (checked.success) return checked.data;
  const problems = checked.error.issues.map(({ path, message }) => `${path.join('.') || 'policy'}: ${message}`);
  throw new CliError('usage', `${file} is no policy: ${problems.join('; ')}`);
}
