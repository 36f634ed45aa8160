import { Command } from 'commander';
import {
  changePassword,
  createUser,
  linkUser,
  listUsers,
  setDisabled,
  setPassword,
  unlinkUser,
} from '../../api/contract/users.ts';
import { newSecret } from '../../platform/ids.ts';
import type { Cli } from '../cli.ts';
import { withServer } from '../client.ts';
import { currentLogin, type Login, saveLogin } from '../credentials.ts';
import { day } from '../moments.ts';
import { type OutputOptions, printAs, table, withOutput } from '../output.ts';
import { readSecret } from '../prompt.ts';

const FLAG = '--password-stdin';

/** `breakwater user …`. */
export function userCommand(cli: Cli): Command {
  const user = new Command('user').description('accounts');
  user
    .command('create')
    .description('make an account; without --password-stdin a random password is printed once')
    .argument('<name>')
    .option('--admin', 'may do everything')
    .option(FLAG, 'take the password from standard input')
    .addHelpText('after', '\nExample:\n  breakwater user create carol && breakwater project member add front carol')
    .action(async (name: string, options: { admin?: boolean; passwordStdin?: boolean }) => {
      const fromInput = options.passwordStdin === true;
      const password = fromInput ? await readSecret(cli, { fromInput, question: '', flag: FLAG }) : newSecret();
      const body = { name, password, admin: options.admin ?? false };
      const made = await withServer(cli, (api) => api.call(createUser, { body }));
      cli.print(`User ${made.name} is there${made.admin ? ', an administrator' : ''}.`);
      if (!fromInput) cli.print(`Password: ${password}\nIt is shown this once.`);
    });
  withOutput(user.command('list'))
    .description('all accounts')
    .action(async (options: OutputOptions) => {
      const { items } = await withServer(cli, (api) => api.call(listUsers));
      printAs(cli, options, items, () =>
        table(
          ['name', 'administrator', 'state', 'person', 'created'],
          items.map(({ name, admin, disabled, person, createdAt }) => [
            name,
            admin ? 'yes' : 'no',
            disabled ? 'disabled' : 'active',
            person ?? '-',
            day(createdAt),
          ]),
        ),
      );
    });
  user
    .command('password')
    .description('change your own password, or as an administrator that of an account; tokens given out before end')
    .argument('[name]', 'whose; without it your own')
    .option(FLAG, 'take the password from standard input')
    .action(async (name: string | undefined, options: { passwordStdin?: boolean }) => {
      const question = name === undefined ? 'Your new password' : `New password of ${name}`;
      const password = await readSecret(cli, { fromInput: options.passwordStdin ?? false, question, flag: FLAG });
      const { login } = await withServer(cli, async (api) => {
        if (name === undefined) await api.call(changePassword, { body: { password } });
        else await api.call(setPassword, { params: { name }, body: { password } });
        return api;
      });
      cli.print(`${name ?? login.user} has a new password.`);
      if (name === undefined || name === login.user) await keepPassword(cli, { ...login, password });
    });
  user
    .command('link')
    .description('say that two accounts are of one person: they count as one wherever two people are needed')
    .argument('<name>')
    .argument('<same-as>', 'the other account, which then stands for the person')
    .action(async (name: string, sameAs: string) => {
      await withServer(cli, (api) => api.call(linkUser, { params: { name }, body: { sameAs } }));
      cli.print(`${name} and ${sameAs} count as one person.`);
    });
  user
    .command('unlink')
    .description('say that an account is of a person of its own again')
    .argument('<name>')
    .action(async (name: string) => {
      await withServer(cli, (api) => api.call(unlinkUser, { params: { name } }));
      cli.print(`${name} counts as a person of its own.`);
    });
  addSwitch(user, cli, 'disable', true);
  addSwitch(user, cli, 'enable', false);
  return user;
}

/** What `breakwater login` kept goes on working. */
async function keepPassword(cli: Cli, login: Required<Login>): Promise<void> {
  const { configHome } = await cli.config();
  const kept = await currentLogin({ configHome, url: login.url, user: login.user, password: undefined });
  if (kept.password !== undefined) cli.note(`Kept in ${await saveLogin(configHome, login)}`);
}

function addSwitch(user: Command, cli: Cli, verb: string, disabled: boolean): void {
  user
    .command(verb)
    .description(disabled ? 'let an account do nothing any more' : 'undo disable')
    .argument('<name>')
    .action(async (name: string) => {
      await withServer(cli, (api) => api.call(setDisabled, { params: { name }, body: { disabled } }));
      cli.print(`${name} is ${disabled ? 'disabled' : 'active again'}.`);
    });
}
