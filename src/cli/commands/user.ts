import { Command } from 'commander';
import { createUser, listUsers, setDisabled, setPassword } from '../../api/contract/users.ts';
import { newSecret } from '../../platform/ids.ts';
import type { Cli } from '../cli.ts';
import { withServer } from '../client.ts';
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
          ['name', 'administrator', 'state', 'created'],
          items.map(({ name, admin, disabled, createdAt }) => [
            name,
            admin ? 'yes' : 'no',
            disabled ? 'disabled' : 'active',
            day(createdAt),
          ]),
        ),
      );
    });
  user
    .command('password')
    .description('set the password of an account; asked for on a terminal')
    .argument('<name>')
    .option(FLAG, 'take the password from standard input')
    .action(async (name: string, options: { passwordStdin?: boolean }) => {
      const question = `New password of ${name}`;
      const secret = { fromInput: options.passwordStdin ?? false, question, flag: FLAG };
      const password = await readSecret(cli, secret);
      await withServer(cli, (api) => api.call(setPassword, { params: { name }, body: { password } }));
      cli.print(`${name} has a new password.`);
    });
  addSwitch(user, cli, 'disable', true);
  addSwitch(user, cli, 'enable', false);
  return user;
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
