import { memberOf, parseJson, textOf } from '../../foreign-json.ts';
import type { StatedPackage } from '../../model.ts';

const NAME = /^[A-Za-z0-9_.-]{1,200}$/;
const VERSION = /^[0-9][^\s\p{C}]{0,100}$/u;
const MOST_LIBRARIES = 50_000;
/** How a runtime that is published with the application is called there; its package is called as what follows. */
const RUNTIME_PACK = 'runtimepack.';
/** Kinds of files a library can bring (the .NET host's `deps.json` format). */
const ASSETS = ['runtime', 'native', 'runtimeTargets', 'resources'];

/**
 * Reads an application's or a shared framework's `.deps.json`: libraries of type `package` that bring files, and runtimes
 * that are published with it, `Microsoft.NETCore.App.Runtime.linux-x64`. A framework whose file names none such is known by
 * its folder, `shared/Microsoft.NETCore.App/2.1.30/Microsoft.NETCore.App.deps.json`.
 */
export function parseDeps(
  bytes: Buffer,
  path: string,
): { readonly packages: readonly StatedPackage[]; readonly problems?: readonly string[] } {
  const value = parseJson(bytes);
  const libraries = objectOf(memberOf(value, 'libraries'));
  const broughtBy = assetsOf(value);
  const keys = Object.keys(libraries);
  const packages = keys
    .slice(0, MOST_LIBRARIES)
    .filter((key) => broughtBy.get(key) !== false)
    .flatMap((key) => libraryOf(key, memberOf(libraries, key)) ?? []);
  const framework = frameworkAt(path);
  const known = packages.some(({ name }) => framework && name.startsWith(framework.name));
  const left = keys.length - MOST_LIBRARIES;
  const problems = [
    ...(typeof value === 'object' && value !== null ? [] : ['it is no JSON of .NET']),
    ...(left > 0 ? [`${left} libraries beyond the first ${MOST_LIBRARIES} were left out`] : []),
  ];
  return {
    packages: framework && !known ? [framework, ...packages] : packages,
    ...(problems.length === 0 ? {} : { problems }),
  };
}

/** For every library of the targets: whether it brings files. Those that bring none only gather or were compiled against. */
function assetsOf(value: unknown): ReadonlyMap<string, boolean> {
  const found = new Map<string, boolean>();
  const targets = objectOf(memberOf(value, 'targets'));
  for (const target of Object.keys(targets)) {
    const libraries = objectOf(memberOf(targets, target));
    for (const key of Object.keys(libraries).slice(0, MOST_LIBRARIES)) {
      const library = memberOf(libraries, key);
      const brings = ASSETS.some((kind) => Object.keys(objectOf(memberOf(library, kind))).length > 0);
      found.set(key, brings || found.get(key) === true);
    }
  }
  return found;
}

function libraryOf(key: string, library: unknown): StatedPackage | undefined {
  const slash = Math.max(key.indexOf('/'), 0);
  const [name, version] = [key.slice(0, slash), key.slice(slash + 1)];
  const type = textOf(memberOf(library, 'type'));
  if (type === 'package') return stated(name, version);
  const isPack = type === 'runtimepack' && name.startsWith(RUNTIME_PACK);
  return isPack ? stated(name.slice(RUNTIME_PACK.length), version) : undefined;
}

function frameworkAt(path: string): StatedPackage | undefined {
  const [folder, name = '', version = '', file] = path.split('/').slice(-4);
  return folder === 'shared' && file === `${name}.deps.json` ? stated(name, version) : undefined;
}

function stated(name: string, version: string): StatedPackage | undefined {
  return NAME.test(name) && VERSION.test(version) ? { type: 'nuget', name, version } : undefined;
}

function objectOf(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}
