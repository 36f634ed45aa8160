import { Command } from 'commander';
import { whoAmI } from '../../api/contract/users.ts';
import type { Cli } from '../cli.ts';
import { withLogin } from '../client.ts';
import { currentLogin, DEFAULT_USER, forgetLogin, type Login, saveLogin } from '../credentials.ts';
import { CliError } from '../exit.ts';
import { ask, readSecret } from '../prompt.ts';
import { isLoopback } from '../registry-end.ts';

/** `breakwater login URL`: a login is kept only after the server has accepted it. */
export function loginCommand(cli: Cli): Command {
  return new Command('login')
    .description('check address, name and password of a server and keep them for the next commands')
    .argument('[url]', 'address of the server, like https://registry.example.com')
    .option('-u, --user <name>', 'user name; asked for on a terminal when it is not given')
    .option('--password-stdin', 'take the password from standard input instead of asking')
    .addHelpText(
      'after',
      `
They are kept in a file that only you can read. BREAKWATER_URL, BREAKWATER_USER and BREAKWATER_PASSWORD win over it.

Examples:
  breakwater login http://127.0.0.1:8080
  breakwater login https://registry.example.com --user ci --password-stdin < password`,
    )
    .action(async (given: string | undefined, options: { user?: string; passwordStdin?: boolean }) => {
      const config = await cli.config();
      const url = serverUrl(given ?? (await currentLogin(config)).url);
      const known = options.user ?? config.user;
      const user = known ?? (cli.input.isTTY ? await ask(cli, `User at ${url}`, DEFAULT_USER) : DEFAULT_USER);
      const password =
        config.password !== undefined && options.passwordStdin !== true
          ? config.password
          : await readSecret(cli, {
              fromInput: options.passwordStdin ?? false,
              question: `Password of ${user}`,
              flag: '--password-stdin',
            });
      if (url.startsWith('http:') && !isLoopback(new URL(url).host))
        cli.note(`Warning: ${url} is not encrypted; the password travels in clear.`);
      const login: Required<Login> = { url, user, password };
      await withLogin(login, async (api) => {
        const me = await api.call(whoAmI);
        if (me.anonymous) throw new CliError('server', `${url} did not take the name and password for a login`);
        cli.print(`Logged in to ${url} as ${me.name}${me.admin ? ', an administrator' : ''}.`);
      });
      cli.note(`Kept in ${await saveLogin(config.configHome, login)}`);
    });
}

/** `breakwater logout`. */
export function logoutCommand(cli: Cli): Command {
  return new Command('logout').description('forget what login kept').action(async () => {
    const { configHome } = await cli.config();
    const forgotten = await forgetLogin(configHome);
    cli.print(forgotten === undefined ? 'There was no login.' : `Forgot the login for ${forgotten}.`);
  });
}

/** An origin; a path would get lost. Throws `CliError('usage')`. */
export function serverUrl(text: string): string {
  const url = URL.parse(text);
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.pathname !== '/' || url.search || url.hash)
    throw new CliError('usage', `"${text}" is no address of a server; write it like https://registry.example.com`);
  if (url.username || url.password)
    throw new CliError('usage', 'leave name and password out of the address; they are asked for');
  return url.origin;
}
