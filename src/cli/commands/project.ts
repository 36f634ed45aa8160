import { Command, InvalidArgumentError, Option } from 'commander';
import type { z } from 'zod';
import {
  createProject,
  deleteProject,
  getProject,
  listMembers,
  listProjects,
  listRepositories,
  type Project,
  removeMember,
  setMember,
  updateProject,
} from '../../api/contract/projects.ts';
import { ROLES } from '../../auth/permissions.ts';
import { thresholdSchema } from '../../policy/policy-schema.ts';
import { selectionText } from '../../policy/tag-selection.ts';
import type { Cli } from '../cli.ts';
import { withServer } from '../client.ts';
import { CliError } from '../exit.ts';
import { day, minute } from '../moments.ts';
import { bytes, facts, type OutputOptions, printAs, table, withOutput } from '../output.ts';
import { readSecret } from '../prompt.ts';
import { addStorage } from './project-storage.ts';

const REPOSITORIES_SHOWN = 1000;
type Repository = z.output<typeof listRepositories.reply>['items'][number];
type Level = (typeof thresholdSchema.options)[number];

interface SharedOptions extends OutputOptions {
  readonly block?: Level;
  readonly warn?: Level;
  readonly upstream?: string;
  readonly upstreamUser?: string;
  readonly upstreamPasswordStdin?: boolean;
  readonly freshness?: number;
}

interface SetOptions extends SharedOptions {
  readonly public?: 'true' | 'false';
  readonly untagged?: 'keep' | 'delete';
  readonly reason?: string;
}

const level = (flags: string, what: string) => new Option(flags, what).choices([...thresholdSchema.options]);

/** `breakwater project …`. */
export function projectCommand(cli: Cli): Command {
  const project = new Command('project').description('projects: what is blocked in them, members, upstreams, quotas');
  addCreate(project, cli);
  addSet(project, cli);
  addReading(project, cli);
  addStorage(project, cli);
  addMembers(project.command('member').description('who may do what in a project'), cli);
  return project;
}

function addCreate(project: Command, cli: Cli): void {
  withOutput(withSettings(project.command('create')))
    .description('make a project')
    .argument('<name>', 'lower-case letters, digits and single . _ - between them')
    .option('--public', 'let anybody pull')
    .addHelpText(
      'after',
      `
Examples:
  breakwater project create front --block high
  breakwater project create back --warn critical
  breakwater project create hub --upstream https://registry-1.docker.io --block critical`,
    )
    .action(async (name: string, options: SharedOptions & { public?: boolean }) => {
      const body = { name, public: options.public ?? false, ...(await settingsOf(cli, options)) };
      const made = await withServer(cli, (api) => api.call(createProject, { body }));
      printAs(cli, options, made, () => `Project ${made.name} is there.\n${describeProject(made)}`);
    });
}

function addSet(project: Command, cli: Cli): void {
  withOutput(withSettings(project.command('set')))
    .description('change a project; what is not given stays')
    .argument('<name>', 'the project')
    .addOption(new Option('--public <yes>', 'let anybody pull').choices(['true', 'false']))
    .addOption(
      new Option('--untagged <what>', 'what becomes of manifests that no tag, index or subject keeps').choices([
        'keep',
        'delete',
      ]),
    )
    .option('--reason <text>', 'why, for the audit log')
    .addHelpText('after', '\nExample:\n  breakwater project set front --block critical --reason "release week"')
    .action(async (name: string, options: SetOptions) => {
      const body = {
        ...(options.public === undefined ? {} : { public: options.public === 'true' }),
        ...(options.untagged === undefined ? {} : { untagged: options.untagged }),
        ...(await settingsOf(cli, options)),
      };
      if (Object.keys(body).length === 0)
        throw new CliError('usage', 'nothing to change: give --block, --warn, --public, --untagged or --upstream');
      const reason = options.reason === undefined ? {} : { reason: options.reason };
      const input = { params: { project: name }, body: { ...body, ...reason } };
      const changed = await withServer(cli, (api) => api.call(updateProject, input));
      printAs(cli, options, changed, () => describeProject(changed));
    });
}

function addReading(project: Command, cli: Cli): void {
  withOutput(project.command('list'))
    .description('projects you may see')
    .action(async (options: OutputOptions) => {
      const { items } = await withServer(cli, (api) => api.call(listProjects));
      printAs(cli, options, items, () =>
        items.length === 0
          ? 'No projects yet; make one with "breakwater project create front --block high".'
          : table(
              ['name', 'public', 'block', 'warn', 'upstream', 'created'],
              items.map((item) => [
                item.name,
                item.public ? 'yes' : 'no',
                levels(item.policy.block),
                levels(item.policy.warn),
                item.upstream?.url ?? '-',
                day(item.createdAt),
              ]),
            ),
      );
    });
  withOutput(project.command('show'))
    .description('one project, its images and their verdicts')
    .argument('<name>')
    .action(async (name: string, options: OutputOptions) => {
      const params = { project: name };
      const found = await withServer(cli, async (api) => ({
        ...(await api.call(getProject, { params })),
        repositories: (await api.call(listRepositories, { params, query: { limit: REPOSITORIES_SHOWN } })).items,
      }));
      printAs(cli, options, found, () => `${describeProject(found)}\n\n${imageTable(found.repositories)}`);
    });
  project
    .command('delete')
    .description('delete a project; one with images only with --force')
    .argument('<name>')
    .option('--force', 'delete its images too')
    .action(async (name: string, options: { force?: boolean }) => {
      const query = options.force ? { force: 'true' as const } : {};
      await withServer(cli, (api) => api.call(deleteProject, { params: { project: name }, query }));
      cli.print(`Project ${name} is deleted.`);
    });
}

function addMembers(member: Command, cli: Cli): void {
  member
    .command('add')
    .description('make a user a member, or change the role')
    .argument('<project>')
    .argument('<user>')
    .addOption(new Option('--role <role>', 'what the user may do').choices([...ROLES]).default('developer'))
    .action(async (project: string, user: string, { role }: { role: (typeof ROLES)[number] }) => {
      await withServer(cli, (api) => api.call(setMember, { params: { project, user }, body: { role } }));
      cli.print(`${user} is ${role} in ${project}.`);
    });
  member
    .command('remove')
    .description('take the role of a user away')
    .argument('<project>')
    .argument('<user>')
    .action(async (project: string, user: string) => {
      await withServer(cli, (api) => api.call(removeMember, { params: { project, user } }));
      cli.print(`${user} is no member of ${project} any more.`);
    });
  withOutput(member.command('list'))
    .description('members and their roles')
    .argument('<project>')
    .action(async (project: string, options: OutputOptions) => {
      const { items } = await withServer(cli, (api) => api.call(listMembers, { params: { project } }));
      printAs(cli, options, items, () =>
        items.length === 0
          ? `${project} has no members.`
          : table(
              ['user', 'role'],
              items.map(({ user, role }) => [user, role]),
            ),
      );
    });
}

function withSettings(command: Command): Command {
  return command
    .addOption(level('--block <level>', 'refuse pulls of images with findings this severe'))
    .addOption(level('--warn <level>', 'warn about images with findings this severe'))
    .option('--upstream <url>', 'mirror a registry: fetch what is not here from there')
    .option('--upstream-user <name>', 'user at the upstream')
    .option('--upstream-password-stdin', 'its password, on standard input')
    .option(
      '--freshness <seconds>',
      'how long a tag of the upstream is believed before it is asked again',
      wholeSeconds,
    );
}

async function settingsOf(cli: Cli, options: SharedOptions) {
  const { block, warn } = options;
  const upstream = await upstreamOf(cli, options);
  return {
    ...(block === undefined ? {} : { block }),
    ...(warn === undefined ? {} : { warn }),
    ...(upstream ? { upstream } : {}),
  };
}

async function upstreamOf(cli: Cli, options: SharedOptions) {
  const { upstream: url, upstreamUser: username, upstreamPasswordStdin: fromInput = false, freshness } = options;
  if (url === undefined) {
    if (username !== undefined || fromInput || freshness !== undefined)
      throw new CliError('usage', '--upstream-user, --upstream-password-stdin and --freshness need --upstream');
    return undefined;
  }
  if (username === undefined && fromInput)
    throw new CliError('usage', '--upstream-password-stdin needs --upstream-user');
  const question = `Password of ${username} at ${url}`;
  return {
    url,
    ...(username === undefined
      ? {}
      : { username, password: await readSecret(cli, { fromInput, question, flag: '--upstream-password-stdin' }) }),
    ...(freshness === undefined ? {} : { freshnessSeconds: freshness }),
  };
}

function wholeSeconds(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Write whole seconds, like 300.');
  return Number(text);
}

function describeProject(project: Project): string {
  const { upstream } = project;
  return facts([
    ['name', project.name],
    ['public', project.public ? 'yes: anybody may pull' : 'no'],
    ['blocks at', levels(project.policy.block)],
    ['warns at', levels(project.policy.warn)],
    ['policy', `version ${project.policy.version}`],
    ['mirrors', upstream && `${upstream.url}${upstream.username ? ` as ${upstream.username}` : ''}`],
    ['freshness', upstream && `${upstream.freshnessSeconds} s`],
    ['quota', quotaText(project.quota)],
    ['immutable', project.immutableTags.length === 0 ? undefined : project.immutableTags.map(selectionText).join('; ')],
    ['untagged', project.untagged === 'delete' ? 'manifests without a tag are deleted' : undefined],
    ['created', `${day(project.createdAt)} by ${project.createdBy}`],
  ]);
}

function quotaText(quota: Project['quota']): string | undefined {
  if (quota === 'default') return undefined;
  return quota === 'unlimited' ? quota : bytes(quota);
}

function imageTable(repositories: readonly Repository[]): string {
  const rows = repositories.flatMap(({ name, tags }) =>
    tags.map(({ name: tag, digest, verdict, updatedAt }) => [
      `${name}:${tag}`,
      verdict ?? 'not judged yet',
      digest.slice(0, 19),
      minute(updatedAt),
    ]),
  );
  return rows.length === 0 ? 'No images yet.' : table(['image', 'verdict', 'digest', 'pushed'], rows);
}

function levels({ fixable, unfixable }: Project['policy']['block']): string {
  return fixable === unfixable ? fixable : `${fixable} (${unfixable} without a fix)`;
}
