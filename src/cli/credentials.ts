import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Config } from '../config.ts';
import { messageOf } from '../platform/errors.ts';
import { writeWholeFile } from '../platform/whole-file.ts';
import { CliError } from './exit.ts';

/** Which server, and as whom. Without a password requests go out anonymously. */
export interface Login {
  readonly url: string;
  readonly user: string;
  readonly password?: string;
}

const DEFAULT_URL = 'http://127.0.0.1:8080';
export const DEFAULT_USER = 'admin';
const FILE = 'login.json';

const savedSchema = z.object({ url: z.url(), user: z.string().min(1), password: z.string().min(1) });

type Settings = Pick<Config, 'url' | 'user' | 'password' | 'configHome'>;

/**
 * The server to talk to: the settings win, then what `breakwater login` kept, then the defaults. A kept password is used for
 * the server and the user it was kept for and for no other.
 */
export async function currentLogin(settings: Settings): Promise<Login> {
  const saved = await savedLogin(settings.configHome);
  const url = trimmed(settings.url ?? saved?.url ?? DEFAULT_URL);
  const sameServer = saved !== undefined && trimmed(saved.url) === url;
  const user = settings.user ?? (sameServer ? saved.user : DEFAULT_USER);
  const password = settings.password ?? (sameServer && saved.user === user ? saved.password : undefined);
  return { url, user, ...(password === undefined ? {} : { password }) };
}

/** Whether a server was named at all, by the settings or by a login; otherwise `currentLogin` only guesses one. */
export async function namesServer(settings: Pick<Settings, 'url' | 'configHome'>): Promise<boolean> {
  return settings.url !== undefined || (await savedLogin(settings.configHome)) !== undefined;
}

/** Keeps a login, readable by its owner only. */
export async function saveLogin(configHome: string, login: Required<Login>): Promise<string> {
  await mkdir(configHome, { recursive: true, mode: 0o700 });
  const path = join(configHome, FILE);
  await writeWholeFile(path, [`${JSON.stringify(login, null, 2)}\n`]);
  return path;
}

/** Forgets the kept login; gives the address it was for, undefined when there was none. */
export async function forgetLogin(configHome: string): Promise<string | undefined> {
  const saved = await savedLogin(configHome).catch(() => ({ url: 'a damaged file' }));
  await rm(join(configHome, FILE), { force: true });
  return saved?.url;
}

async function savedLogin(configHome: string): Promise<Required<Login> | undefined> {
  const path = join(configHome, FILE);
  try {
    return savedSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    const why = error instanceof z.ZodError ? 'it does not hold a login' : messageOf(error);
    throw new CliError('failed', `cannot read ${path}: ${why}; log in again with "breakwater login"`, { cause: error });
  }
}

function trimmed(url: string): string {
  return url.replace(/\/+$/, '');
}
