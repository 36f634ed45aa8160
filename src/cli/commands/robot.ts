import { Command, InvalidArgumentError } from 'commander';
import {
  adoptRobot,
  createRobot,
  deleteRobot,
  finishRotation,
  getRobot,
  listRobots,
  type Robot,
  rotateRobot,
  setRobotDisabled,
} from '../../api/contract/robots.ts';
import { PERMISSIONS, type Permission, ROBOT_PERMISSIONS } from '../../auth/permissions.ts';
import { labelOf, loginNameOf } from '../../auth/robot.ts';
import type { Cli } from '../cli.ts';
import { withServer } from '../client.ts';
import { CliError } from '../exit.ts';
import { day, minute } from '../moments.ts';
import { facts, type OutputOptions, printAs, table, withOutput } from '../output.ts';
import { secretFacts, secretText } from '../secrets-text.ts';

interface Scope {
  readonly project: string;
  readonly permissions: Permission[];
}

interface CreateOptions extends OutputOptions {
  readonly project?: string;
  readonly may?: Permission[];
  readonly scope: Scope[];
  readonly days?: number;
  readonly never?: boolean;
  readonly description?: string;
}

interface RotateOptions extends OutputOptions {
  readonly overlap?: number;
  readonly finish?: boolean;
  readonly days?: number;
  readonly never?: boolean;
}

/** Words for what is given most often. */
const SHORT: Readonly<Record<string, Permission>> = {
  pull: 'repository:pull',
  push: 'repository:push',
  delete: 'repository:delete',
};
const WHICH = 'the robot: front+ci, or ci for one of the installation';

/** `breakwater robot …`. */
export function robotCommand(cli: Cli): Command {
  const robot = new Command('robot').description('accounts for machines');
  addCreate(robot, cli);
  addReading(robot, cli);
  addRotate(robot, cli);
  addSwitch(robot, cli, 'disable', true);
  addSwitch(robot, cli, 'enable', false);
  withOutput(robot.command('adopt'))
    .description('answer for a robot from now on; you must have all its rights')
    .argument('<robot>', WHICH)
    .action(async (name: string, options: OutputOptions) => {
      const adopted = await withServer(cli, (api) => api.call(adoptRobot, { params: params(name) }));
      printAs(cli, options, adopted, () => `${adopted.owner} answers for ${adopted.name} now.`);
    });
  robot
    .command('delete')
    .description('delete a robot and its secrets')
    .argument('<robot>', WHICH)
    .action(async (name: string) => {
      await withServer(cli, (api) => api.call(deleteRobot, { params: params(name) }));
      cli.print(`${loginNameOf(name)} is deleted.`);
    });
  return robot;
}

function addCreate(robot: Command, cli: Cli): void {
  withOutput(robot.command('create'))
    .description('make a robot; its secret is printed once')
    .argument('<name>', 'lower-case letters, digits and single . _ - between them')
    .option('--project <name>', 'the project it belongs to; without it, it belongs to the installation')
    .option('--may <rights>', 'what it may do in that project: pull,push,delete or words like verdict:read', rights)
    .option(
      '--scope <project=rights>',
      'what it may do in another project, or * for everywhere; may be repeated',
      scope,
      [],
    )
    .option('--days <count>', 'days until it expires', wholeDays)
    .option('--never', 'never expires; for administrators')
    .option('--description <text>', 'what it is for')
    .addHelpText(
      'after',
      `
Rights in a project: ${ROBOT_PERMISSIONS.project.join(', ')}
Only with "*": ${ROBOT_PERMISSIONS.installation.join(', ')}

Examples:
  breakwater robot create ci --project front --may pull,push
  breakwater robot create nodes --scope front=pull --scope back=pull --days 365
  breakwater robot create feeds --scope '*=advisories:import'`,
    )
    .action(async (name: string, options: CreateOptions) => {
      const { project, description } = options;
      const body = {
        name,
        scopes: scopesOf(options),
        ...expiryOf(options),
        ...(description === undefined ? {} : { description }),
      };
      const query = project === undefined ? {} : { project };
      const made = await withServer(cli, (api) => api.call(createRobot, { query, body }));
      printAs(cli, options, made, () => `${describe(made)}\n\n${secretText(made)}`);
    });
}

function scopesOf({ project, may, scope: scopes }: CreateOptions): Scope[] {
  if (may === undefined) {
    if (scopes.length === 0)
      throw new CliError('usage', 'say what it may do: --project front --may pull, or --scope front=pull');
    return scopes;
  }
  if (project === undefined)
    throw new CliError('usage', '--may is about a project: give --project, or --scope with the project in it');
  return [{ project, permissions: may }, ...scopes];
}

function expiryOf({ days, never }: { readonly days?: number; readonly never?: boolean }): { days?: number | null } {
  if (days !== undefined && never) throw new CliError('usage', 'give --days or --never, not both');
  if (never) return { days: null };
  return days === undefined ? {} : { days };
}

function addReading(robot: Command, cli: Cli): void {
  withOutput(robot.command('list'))
    .description('robots of a project; without one all there are, for administrators')
    .option('--project <name>', 'of this project')
    .action(async ({ project, ...options }: OutputOptions & { project?: string }) => {
      const query = project === undefined ? {} : { project };
      const { items } = await withServer(cli, (api) => api.call(listRobots, { query }));
      printAs(cli, options, items, () =>
        items.length === 0
          ? 'No robots yet; make one with "breakwater robot create ci --project front --may pull,push".'
          : table(
              ['robot', 'state', 'may', 'owner', 'expires', 'last used', 'secrets'],
              items.map((item) => [
                labelOf(item.name),
                item.state,
                item.scopes.map(scopeText).join('; '),
                item.owner,
                item.expiresAt === undefined ? 'never' : day(item.expiresAt),
                item.lastUsedAt === undefined ? 'never' : minute(item.lastUsedAt),
                String(item.secrets.length),
              ]),
            ),
      );
    });
  withOutput(robot.command('show'))
    .description('one robot')
    .argument('<robot>', WHICH)
    .action(async (name: string, options: OutputOptions) => {
      const found = await withServer(cli, (api) => api.call(getRobot, { params: params(name) }));
      printAs(cli, options, found, () => describe(found));
    });
}

function addRotate(robot: Command, cli: Cli): void {
  withOutput(robot.command('rotate'))
    .description('give a robot a second secret; the first one counts a while longer')
    .argument('<robot>', WHICH)
    .option('--overlap <hours>', 'how long the first one still counts; 0 ends every other secret at once', wholeHours)
    .option('--finish', 'end the first one now that the second is in use everywhere; makes no new one')
    .option('--days <count>', 'it also expires anew, in so many days', wholeDays)
    .option('--never', 'it never expires from now on; for administrators')
    .addHelpText(
      'after',
      '\nExamples:\n  breakwater robot rotate front+ci\n  breakwater robot rotate front+ci --finish\n  breakwater robot rotate front+ci --overlap 0   # the secret has leaked',
    )
    .action(async (name: string, options: RotateOptions) => {
      const { overlap: overlapHours } = options;
      if (options.finish) {
        if (overlapHours !== undefined || options.days !== undefined || options.never)
          throw new CliError('usage', '--finish makes no new secret; give it alone');
        const found = await withServer(cli, (api) => api.call(finishRotation, { params: params(name) }));
        printAs(cli, options, found, () => `Only the newest secret of ${found.name} counts now.`);
        return;
      }
      const body = { ...(overlapHours === undefined ? {} : { overlapHours }), ...expiryOf(options) };
      const rotated = await withServer(cli, (api) => api.call(rotateRobot, { params: params(name), body }));
      printAs(cli, options, rotated, () => `${describe(rotated)}\n\n${secretText(rotated)}`);
    });
}

function addSwitch(robot: Command, cli: Cli, verb: string, disabled: boolean): void {
  robot
    .command(verb)
    .description(disabled ? 'let a robot do nothing any more' : 'undo disable')
    .argument('<robot>', WHICH)
    .action(async (name: string) => {
      await withServer(cli, (api) => api.call(setRobotDisabled, { params: params(name), body: { disabled } }));
      cli.print(`${loginNameOf(name)} is ${disabled ? 'disabled' : 'active again'}.`);
    });
}

/** A shell takes `$front` out of the login name when it is not quoted, so the name goes without its beginning. */
function params(robot: string): { robot: string } {
  return { robot: labelOf(loginNameOf(robot)) };
}

function describe(robot: Robot): string {
  return facts([
    ['login', robot.name],
    ['state', robot.state],
    ...robot.scopes.map((one) => ['may', scopeText(one)] as const),
    ['owner', robot.owner],
    ['for', robot.description || undefined],
    ['created', day(robot.createdAt)],
    ['expires', robot.expiresAt === undefined ? 'never' : minute(robot.expiresAt)],
    ['last used', robot.lastUsedAt === undefined ? 'never' : minute(robot.lastUsedAt)],
    ...secretFacts(robot.secrets),
  ]);
}

function scopeText({ project, permissions }: Robot['scopes'][number]): string {
  return `${project === '*' ? 'everywhere' : project}: ${permissions.join(', ')}`;
}

function rights(text: string): Permission[] {
  return text.split(',').map((word) => {
    const permission = Object.hasOwn(SHORT, word) ? SHORT[word] : word;
    if (permission !== undefined && Object.hasOwn(PERMISSIONS, permission)) return permission as Permission;
    throw new InvalidArgumentError(`"${word}" is no right. Write pull, push, delete, or words like verdict:read.`);
  });
}

function scope(text: string, before: Scope[]): Scope[] {
  const equals = text.indexOf('=');
  if (equals < 1) throw new InvalidArgumentError('Write it like front=pull,push.');
  return [...before, { project: text.slice(0, equals), permissions: rights(text.slice(equals + 1)) }];
}

function wholeDays(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new InvalidArgumentError('Write whole days, like 90.');
  return Number(text);
}

function wholeHours(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError('Write whole hours, like 24.');
  return Number(text);
}
