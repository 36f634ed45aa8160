import type { StatedPackage } from '../../model.ts';
import type { GoBuildInfo } from './build-info.ts';
import { versionOfFlags } from './linker-flags.ts';

const MOST_MODULES = 20_000;
const PRINTABLE = /^[^\s\p{C}]{1,512}$/u;
/** A folder in place of a module: it has no version of its own. */
const FOLDER = /^(?:\.{1,2}(?:$|[/\\])|[/\\]|[A-Za-z]:[/\\])/;
const TOOLCHAIN = /^(?:devel )?go(\d+(?:\.\d+){0,2})(?:(rc|beta)(\d+)|(-[0-9A-Za-z]+))?/;
const UNVERSIONED = '(devel)';

/**
 * The modules a Go program was built from: the toolchain as `stdlib`, the main module, its dependencies as replaced.
 * Versions as Go writes them, `(devel)` where there is none; the main module's may be known from the linker's flags.
 */
export function packagesOfGo(info: GoBuildInfo): {
  readonly packages: readonly StatedPackage[];
  readonly problems: readonly string[];
} {
  const lines = info.modules.split('\n', MOST_MODULES + 1);
  const modules = [...readModules(lines)];
  const packages = modules.filter(({ name, version }) => PRINTABLE.test(name) && PRINTABLE.test(version));
  const odd = modules.length - packages.length;
  return {
    packages: [{ type: 'golang', name: 'stdlib', version: toolchainVersion(info.version) }, ...packages],
    problems: [
      ...(lines.length > MOST_MODULES ? ['it names more Go modules than are read'] : []),
      ...(odd > 0 ? [`${odd} of its Go modules have no name or version that can be one`] : []),
    ],
  };
}

/** `go1.22.1 X:loopvar` → `1.22.1`, `go1.22rc1` → `1.22.0-rc.1` as Go's advisories write it, else the first word. */
function toolchainVersion(text: string): string {
  const [, number, stage, count, snapshot = ''] = TOOLCHAIN.exec(text) ?? [];
  if (number === undefined) return /^[^\s\p{C}]{1,64}/u.exec(text)?.[0] ?? 'unknown';
  if (stage === undefined) return text.startsWith('devel') ? number + snapshot : number;
  return `${number.split('.').length === 2 ? `${number}.0` : number}-${stage}.${count}`;
}

/** Lines of Go's `runtime/debug.BuildInfo`: word, tab, fields. A line `=>` replaces the module of the line before. */
function* readModules(lines: readonly string[]): Generator<StatedPackage> {
  for (const [at, line] of lines.entries()) {
    const [kind, name = '', version = ''] = line.split('\t', 3);
    if (kind !== 'mod' && kind !== 'dep') continue;
    const [next, otherName = '', otherVersion = ''] = (lines[at + 1] ?? '').split('\t', 3);
    const replaced = next === '=>';
    const module: StatedPackage = {
      type: 'golang',
      name: replaced && !FOLDER.test(otherName) ? otherName : name,
      version: (replaced ? otherVersion : version) || UNVERSIONED,
    };
    yield kind === 'mod' && module.version === UNVERSIONED ? withFlags(module, lines) : module;
  }
}

function withFlags(module: StatedPackage, lines: readonly string[]): StatedPackage {
  const flags = lines.find((line) => line.startsWith('build\t-ldflags='));
  const version = flags === undefined ? undefined : versionOfFlags(flags.slice('build\t-ldflags='.length), module.name);
  return version === undefined ? module : { ...module, version };
}
