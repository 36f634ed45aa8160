import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';

export const DEFAULT_DATA_DIR = './data';

/** The folders of a command that needs no server and no other setting. */
export interface Folders {
  readonly dataDir: string;
  readonly cacheHome: string;
}

/**
 * The folders as `loadConfig` gives them, when the environment alone decides: nothing is checked, and what checks settings
 * is not loaded. Undefined when there is a settings file.
 */
export function foldersOf(environment: NodeJS.ProcessEnv = process.env): Folders | undefined {
  if (environment['BREAKWATER_CONFIG']) return undefined;
  return {
    dataDir: resolve(environment['BREAKWATER_DATA_DIR'] || DEFAULT_DATA_DIR),
    cacheHome: cacheFolder(environment['BREAKWATER_CACHE_HOME'], environment),
  };
}

/** Where settings of the user are kept: as set, else as the XDG Base Directory Specification places it. */
export function configFolder(setting: string | undefined, environment: NodeJS.ProcessEnv): string {
  return resolve(setting || userFolder(environment, 'XDG_CONFIG_HOME', '.config'));
}

/** Where what can be had again is kept. */
export function cacheFolder(setting: string | undefined, environment: NodeJS.ProcessEnv): string {
  return resolve(setting || userFolder(environment, 'XDG_CACHE_HOME', '.cache'));
}

/**
 * The kubeconfig that kubectl would read: the first file of `KUBECONFIG` that exists, else `~/.kube/config`. Undefined when
 * there is none. For tools that somebody calls by hand; a server follows only the cluster it is told to.
 */
export function usualKubeconfig(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const named = (environment['KUBECONFIG'] ?? '').split(delimiter).filter(Boolean);
  const files = named.length > 0 ? named : [join(environment['HOME'] || homedir(), '.kube', 'config')];
  return files.find((path) => existsSync(path));
}

/** Where Node keeps our code compiled, so that the next command starts sooner. */
export function codeFolder(environment: NodeJS.ProcessEnv = process.env): string {
  return join(cacheFolder(environment['BREAKWATER_CACHE_HOME'], environment), 'code');
}

function userFolder(environment: NodeJS.ProcessEnv, name: string, fallback: string): string {
  return join(environment[name] || join(environment['HOME'] || homedir(), fallback), 'breakwater');
}
