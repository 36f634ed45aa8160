import { type Command, Option } from 'commander';
import type { RegistryClient } from '../mirror/registry-client.ts';
import type { Reference } from '../oci/reference.ts';
import { systemClock } from '../platform/clock.ts';
import type { HttpClient } from '../platform/http-client.ts';
import type { Cli } from './cli.ts';
import type { Login } from './credentials.ts';
import { CliError } from './exit.ts';

/** How to reach the registry an image comes from. */
export interface SourceAccess {
  readonly sourceUser?: string;
  readonly sourcePasswordStdin?: boolean;
  readonly sourcePlainHttp?: boolean;
}

/** Adds the options of `SourceAccess`. */
export function withSourceAccess(command: Command): Command {
  return command
    .addOption(new Option('--source-user <name>', 'user at the registry the image comes from'))
    .addOption(new Option('--source-password-stdin', 'its password, on standard input'))
    .addOption(new Option('--source-plain-http', 'reach that registry without TLS (assumed on this machine itself)'));
}

/**
 * A client for the registry of a reference. Our own server gets the credentials of the login unless others are given; names
 * of this machine are reached by plain HTTP, as every client of registries does. Throws `CliError('usage')`.
 */
export async function sourceClient(
  cli: Cli,
  http: HttpClient,
  reference: Reference,
  access: SourceAccess,
  login: Login,
): Promise<RegistryClient> {
  const { registry } = reference;
  const own = new URL(login.url).host === registry;
  const plain = access.sourcePlainHttp === true || (own ? login.url.startsWith('http:') : isLoopback(registry));
  const credentials = (await givenCredentials(cli, access)) ?? (own ? credentialsOf(login) : undefined);
  // Loaded when a registry is asked: most scans are of files.
  const [{ createRegistryClient }, { reachableUrl }] = await Promise.all([
    import('../mirror/registry-client.ts'),
    import('../mirror/upstreams.ts'),
  ]);
  return createRegistryClient(
    { http, clock: systemClock },
    { url: reachableUrl(`${plain ? 'http' : 'https'}://${registry}`), ...(credentials ? { credentials } : {}) },
  );
}

/** A client for our own server's registry. */
export async function ownClient(http: HttpClient, login: Login): Promise<RegistryClient> {
  const credentials = credentialsOf(login);
  const { createRegistryClient } = await import('../mirror/registry-client.ts');
  return createRegistryClient(
    { http, clock: systemClock },
    { url: login.url, ...(credentials ? { credentials } : {}) },
  );
}

async function givenCredentials(cli: Cli, access: SourceAccess) {
  const { sourceUser: username, sourcePasswordStdin: fromInput = false } = access;
  if (username === undefined) {
    if (fromInput) throw new CliError('usage', '--source-password-stdin needs --source-user');
    return undefined;
  }
  const { readSecret } = await import('./prompt.ts');
  const question = `Password of ${username} at the source`;
  return { username, password: await readSecret(cli, { fromInput, question, flag: '--source-password-stdin' }) };
}

function credentialsOf({ user, password }: Login) {
  return password === undefined ? undefined : { username: user, password };
}

/** True for `localhost`, 127.0.0.0/8 and [::1], with or without a port. */
export function isLoopback(registry: string): boolean {
  const { hostname } = new URL(`http://${registry}`);
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
