import type { StatedPackage } from '../../model.ts';
import type { GoBuildInfo } from './build-info.ts';
import { versionOfFlags } from './linker-flags.ts';

const MOST_MODULES = 20_000;
const PRINTABLE = /^[^\s\p{C}]{1,512}$/u;
/** A folder in place of a module: it has no version of its own. */
const FOLDER = /^(?:\.{1,2}(?:$|[/\\])|[/\\]|[A-Za-z]:[/\\])/;
const TOOLCHAIN = /^(?:devel )?go(\d+(?:\.\d+){0,2})(?:(rc|beta)(\d+)|(-[0-9A-Za-z]+))?/;
const UNVERSIONED = '(devel)';
/** What Go makes of a commit where it knows no release: of the module's own sources, or because it was given only a part of them. */
const PSEUDO = /^v\d+\.\d+\.\d+-(?:[0-9A-Za-z.-]*\.)?\d{14}-[0-9a-f]{12}(?:\+[0-9A-Za-z.-]+)?$/;
/** Such a version that no release stands behind (go.dev/ref/mod, "Pseudo-versions", the first form). */
const WITHOUT_BASE = /^v\d+\.0\.0-\d{14}-/;

/**
 * The modules a Go program was built from: the toolchain as `stdlib`, the main module, its dependencies as replaced.
 * Versions as Go writes them, `(devel)` where there is none.
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
    yield kind === 'mod' ? { ...module, version: mainVersion(module, lines) } : module;
  }
}

/**
 * The version of the main module: a release; else what the build set by the linker's flags; else where its sources stood after a
 * release. A commit of which Go knows no release says nothing of the releases it comes after: a checkout without tags of
 * v3.1 has v0.0.0 as well. For a dependency it does, as the module proxy knows all tags.
 */
function mainVersion({ name, version }: StatedPackage, lines: readonly string[]): string {
  if (version !== UNVERSIONED && !PSEUDO.test(version)) return version;
  const flags = lines.find((line) => line.startsWith('build\t-ldflags='));
  const set = flags === undefined ? undefined : versionOfFlags(flags.slice('build\t-ldflags='.length), name);
  return set ?? (WITHOUT_BASE.test(version) ? UNVERSIONED : version);
}
